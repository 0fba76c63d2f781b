#include "apps/evaluate/metrics_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/report/answers.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// One right answer and one wrong one.
testing::MadeEvaluation two_answers() {
  testing::MadeEvaluation e;
  e.classes = {"cat", "big, \"dog\""};
  e.add({"a/1.jpg", 0}, {0.75, 0.25});
  e.add({"b,2.jpg", 1}, {0.625, 0.375});
  e.broken = {{.sample = 2, .reason = "is truncated, badly", .name = "c.jpg"}};
  return e;
}

TEST(PredictionsCsv, HasARowForEachPictureAndTheBrokenOnesLast) {
  const testing::TemporaryFolder folder;
  write_predictions_csv(two_answers(), folder / "p.csv");
  EXPECT_EQ(testing::read_text(folder / "p.csv"),
            "path,label,class,probability,label_probability,right,error\n"
            "a/1.jpg,cat,cat,0.750000,0.750000,1,\n"
            "\"b,2.jpg\",\"big, \"\"dog\"\"\",cat,0.625000,0.375000,0,\n"
            "c.jpg,,,,,,\"is truncated, badly\"\n");
}

TEST(MetricsText, ShowsAllOfFewClassesAndTheWeakestOfMany) {
  const auto e = two_answers();
  const std::string text = metrics_text(e.metrics(), e.classes);
  EXPECT_THAT(text, HasSubstr("accuracy   50.00 %, 1 of 2 right"));
  EXPECT_THAT(text, Not(HasSubstr("top 5")));
  EXPECT_THAT(text, HasSubstr("confused   big, \"dog\" said to be cat (1)"));
  EXPECT_THAT(text, HasSubstr("\ncat "));

  // Of 60 classes the first 30 have a picture, and of those the second half are mistaken for class 0.
  testing::MadeEvaluation many;
  for (int k = 0; k < 60; ++k) many.classes.push_back("class-" + std::to_string(k));
  for (int k = 0; k < 30; ++k) {
    std::vector<double> row(60);
    row[k < 15 ? static_cast<size_t>(k) : 0] = 1;
    many.add({"x.jpg", k}, row);
  }
  const std::string weakest = metrics_text(many.metrics(), many.classes);
  EXPECT_THAT(weakest, HasSubstr("weakest 20 classes"));
  EXPECT_THAT(weakest, HasSubstr("top 5"));
  EXPECT_THAT(weakest, HasSubstr("class-29 "));
  EXPECT_THAT(weakest, Not(HasSubstr("class-10 ")));  // all of it right
  EXPECT_THAT(weakest, Not(HasSubstr("class-40 ")));  // has no pictures
}

}  // namespace
}  // namespace resflow
