// Covers: apps/pages/style apps/report/classes apps/report/sections
#include "apps/report/page.h"
#include "apps/machine/versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/apps/program.h"
#include "tests/apps/report/answers.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::answers;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TemporaryFolder;

std::vector<EpochRecord> records(int epochs, bool validated) {
  std::vector<EpochRecord> all;
  for (int i = 1; i <= epochs; ++i)
    all.push_back({.epoch = i,
                   .train_loss = 1.0 / i,
                   .train_accuracy = 1 - 0.5 / i,
                   .val_loss = validated ? 1.2 / i : NAN,
                   .val_accuracy = validated ? 1 - 0.6 / i : NAN,
                   .learning_rate = 1e-3 / i,
                   .seconds = 2});
  return all;
}

// The elements and texts that page.py finds, which fails for what is not well-formed or loads anything.
std::string elements_of(const HtmlReport& report) {
  const TemporaryFolder folder;
  write_html_report(report, folder / "report.html");
  return testing::run_python("apps/page.py", {folder / "report.html"});
}

class HtmlReportPage : public ::testing::Test {
 protected:
  HtmlReportPage() { testing::write_text(photo_, testing::photo_bytes(1, 0)); }
  void SetUp() override {
    if (!testing::python_has({"PIL"})) GTEST_SKIP() << "needs python3-pil";
  }
  TemporaryFolder folder_;
  std::string photo_ = folder_ / "photo.jpg";
};

TEST_F(HtmlReportPage, HoldsAllThatIsKnown) {
  HtmlReport report{.title = "resnet18 on photos", .history = records(5, true), .best_epoch = 4};
  auto e = answers(4, 200, photo_);
  e.broken = {{.reason = "is truncated", .name = "a/b.jpg"}};
  report.evaluation = reported_evaluation(e, "photos/val", Views::kFlip);
  report.times.add("forward", 12.5, 100);
  report.configuration = {{"--lr", "0.001"}};
  report.versions = report_versions();
  const std::string page = elements_of(report);
  EXPECT_THAT(page, HasSubstr("svg 4\n"));  // loss, accuracy, learning rate, calibration
  EXPECT_THAT(page, HasSubstr("img 48\n"));
  const Metrics& m = report.evaluation->metrics;
  EXPECT_THAT(page, HasSubstr(fmt::format("{} of 200 pictures in photos/val are right ({:.1f} %, averaged with the "
                                          "mirror image)",
                                          m.right, 100 * m.accuracy)));
  for (const char* words :
       {"best: 4", "macro average", "a/b.jpg", "is truncated", "forward", "12.5 s", "--lr", "oneDNN", "photo.jpg"})
    EXPECT_THAT(page, HasSubstr(words));
  EXPECT_THAT(page, HasSubstr(fmt::format("The 24 most confident of {} mistakes", report.evaluation->mistakes)));
}

TEST_F(HtmlReportPage, TakesAnyNumberOfClassesAndPictures) {
  for (const size_t classes : {2, 3, 30, 31, 40, 41, 1000}) {
    for (const int pictures : {0, 1, 60}) {
      SCOPED_TRACE(fmt::format("{} classes, {} pictures", classes, pictures));
      HtmlReport report{.title = "t"};
      report.evaluation = reported_evaluation(answers(classes, pictures, photo_), "d", Views::kOne);
      const std::string page = elements_of(report);
      EXPECT_THAT(page, Not(HasSubstr("nan")));
      if (pictures > 0) {
        EXPECT_THAT(page, HasSubstr(classes > 40 ? fmt::format("All {} classes", classes == 1000 ? "1,000" : "41")
                                                 : "class " + std::to_string(classes - 1)));
      } else {
        EXPECT_THAT(page, HasSubstr("Not one picture of d could be read"));
      }
    }
  }
}

TEST_F(HtmlReportPage, ARunWithoutValidationHasItsCurves) {
  for (const int epochs : {1, 2, 400}) {
    const std::string page = elements_of({.title = "t", .history = records(epochs, false)});
    EXPECT_THAT(page, HasSubstr("svg 3\n"));
    EXPECT_THAT(page, HasSubstr("There were no validation pictures"));
    EXPECT_THAT(page, Not(HasSubstr("nan")));
    EXPECT_THAT(page, Not(HasSubstr("text: validation\n")));  // no such curve
  }
  EXPECT_THAT(elements_of({.title = "t"}), HasSubstr("Nothing was evaluated"));
}

TEST_F(HtmlReportPage, NamesAreShownAndNeverObeyed) {
  const std::string odd = "<script>alert('x')</script>\" onload=\"y &amp; \xFF\n\xE2\x82\xAC";
  auto e = answers(3, 40, folder_ / odd);  // whose files are not there
  for (std::string& name : e.classes) name += odd;
  e.broken = {{.reason = odd, .name = odd}};
  HtmlReport report{.title = odd};
  report.configuration = {{odd, odd}};
  report.versions = {{odd, odd}};
  report.times.add(odd, 1);
  report.evaluation = reported_evaluation(e, odd, Views::kOne);
  const std::string page = elements_of(report);
  EXPECT_THAT(page, HasSubstr("<script>alert('x')</script>\" onload=\"y &amp; \xEF\xBF\xBD \xE2\x82\xAC"));
  EXPECT_THAT(page, HasSubstr("the file cannot be read"));
  EXPECT_THAT(page, Not(HasSubstr("img ")));
}

TEST(HtmlReportFile, IsReplacedWholeOrNotAtAll) {
  const TemporaryFolder folder;
  testing::expect_error(ErrorKind::kUsage, {"absent"},
                        [&] { write_html_report({.title = "t"}, folder / "absent/report.html"); });
  write_html_report({.title = "one"}, folder / "report.html");
  write_html_report({.title = "two"}, folder / "report.html");
  EXPECT_THAT(testing::read_text(folder / "report.html"), HasSubstr("<h1>two</h1>"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace resflow
