// resflow stats: against numpy and Pillow, and on data sets in which everything is wrong.
//
// Covers: apps/data/stats apps/data/stats_report
// Covers: apps/machine/process_report
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/peers.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatsProgram, AgreesWithNumpyOverTorchvisionsPictures) {
  if (!has_peers()) GTEST_SKIP() << kNoPeers;
  const TemporaryFolder folder;
  const std::string root = folder / "data", out = folder / "stats.json";
  run_python("apps/stats.py", {"clean", root});
  for (const char* size : {"224", "48"}) {
    const ProcessResult result = resflow({"stats", root, "--json", out, "--image-size", size});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json ours = json::parse(read_text(out)), part = ours.at("parts").at("train");
    const json theirs = json::parse(run_python("apps/stats.py", {"reckon", root, size}));
    for (const char* what : {"mean", "std"})
      for (size_t c = 0; c < 3; ++c)
        // Ours come of exact integers; ToTensor rounds each pixel to f32, by 3e-8 at most.
        EXPECT_NEAR(ours.at(what).at(c).get<double>(), theirs.at(what).at(c).get<double>(), 1e-7) << what << size;
    EXPECT_EQ(ours.at("pixels"), theirs.at("pixels"));
    const auto range = [&](const char* side) {
      const json& r = part.at("sizes").at(side);
      return json::array({r.at("min"), r.at("median"), r.at("max")});
    };
    EXPECT_EQ(range("width"), theirs.at("width"));
    EXPECT_EQ(range("height"), theirs.at("height"));
    const json& sizes = part.at("sizes");
    EXPECT_EQ(json::array({sizes.at("landscape"), sizes.at("portrait"), sizes.at("square")}), theirs.at("orientation"));
    EXPECT_EQ(part.at("bytes"), theirs.at("bytes"));
    json formats;
    for (const auto& [name, count] : part.at("formats").items()) formats[name == "WebP" ? "WEBP" : name] = count;
    EXPECT_EQ(formats, theirs.at("formats"));

    EXPECT_EQ(part.at("jpeg").at("sampling"), json({{"4:4:4", 3}, {"4:2:2", 3}, {"4:2:0", 3}}));
    EXPECT_EQ(part.at("jpeg").at("progressive"), 1);
    EXPECT_EQ(part.at("jpeg").at("grey"), 1);
    EXPECT_EQ(part.at("jpeg").at("cmyk"), 1);
    EXPECT_EQ(part.at("sizes").at("most_common").at(0), json({{"width", 80}, {"height", 70}, {"pictures", 3}}));
    EXPECT_THAT(result.out, HasSubstr("14 pictures in 2 classes"));
    EXPECT_THAT(result.out, HasSubstr("nothing: every file is whole"));
  }
}

TEST(StatsProgram, DoesNotDependOnThreads) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 3, 15);
  const auto stats = [&](const char* threads) {
    const std::string out = folder / "stats.json";
    EXPECT_EQ(resflow({"stats", folder / "data", "--json", out, "--threads", threads}).exit_code, 0);
    json report = json::parse(read_text(out));
    for (const char* of_the_run : {"seconds", "threads", "peak_rss_bytes"}) EXPECT_EQ(report.erase(of_the_run), 1U);
    return report;
  };
  EXPECT_EQ(stats("1"), stats("3"));
}

class DirtyData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_peers()) GTEST_SKIP() << kNoPeers;
    run_python("apps/stats.py", {"dirty", folder_.path()});
    result_ = resflow({"stats", folder_.path(), "--json", folder_ / "stats.json"});
    ASSERT_EQ(result_.exit_code, 0) << result_.err;
    report_ = json::parse(read_text(folder_ / "stats.json"));
  }

  json part(const char* name) { return report_.at("parts").at(name); }

  std::vector<std::string> names(const json& files) {
    std::vector<std::string> all;
    for (const json& file : files)
      all.push_back(
          (file.is_object() ? file.at("path") : file).get<std::string>().substr(folder_.path().string().size() + 1));
    return all;
  }

  TemporaryFolder folder_;
  ProcessResult result_;
  json report_;
};

TEST_F(DirtyData, BrokenFilesAreNamedWithTheirReason) {
  const json broken = part("train").at("broken");
  EXPECT_THAT(names(broken),
              ElementsAre("train/ants/empty.jpg", "train/ants/really-gif.jpg", "train/ants/truncated.jpg",
                          "train/bees/empty.jpg", "train/bees/page.png", "train/cats/dangling.jpg"));
  for (const auto& [at, words] :
       {std::pair(0, "is empty"), {1, "is a GIF named .jpg"}, {2, "truncated"}, {4, "is a web page"}})
    EXPECT_THAT(broken.at(static_cast<size_t>(at)).at("reason").get<std::string>(), HasSubstr(words));
  EXPECT_EQ(part("train").at("pictures"), 16);
  EXPECT_EQ(part("train").at("read"), 10);
  EXPECT_EQ(part("train").at("classes").at(0), json({{"name", "ants"}, {"pictures", 9}, {"broken", 3}}));
  EXPECT_EQ(part("val").at("broken"), json::array());
  EXPECT_THAT(result_.out, HasSubstr("cannot be read: 6 files"));
  EXPECT_THAT(result_.out, HasSubstr("train/ants/truncated.jpg: truncated JPEG"));
}

TEST_F(DirtyData, NamesThatLieAreListedAndFormatsCountedByContent) {
  EXPECT_THAT(names(part("train").at("misnamed")),
              ElementsAre("train/ants/really-gif.jpg", "train/ants/really-png.jpg", "train/bees/page.png"));
  EXPECT_EQ(part("train").at("formats"), json({{"JPEG", 10}, {"PNG", 1}, {"GIF", 1}, {"unknown", 2}, {"web page", 1}}));
  EXPECT_THAT(result_.out, HasSubstr("train/ants/really-png.jpg: is a PNG"));
}

TEST_F(DirtyData, CopiesAreFoundAndLeakageIsSaid) {
  const json& same = report_.at("same_content");
  ASSERT_EQ(same.size(), 3U);
  EXPECT_THAT(names(same[0].at("files")), ElementsAre("train/ants/1.jpg", "train/ants/copy of 1.jpg"));
  EXPECT_THAT(names(same[1].at("files")), ElementsAre("train/ants/2.jpg", "train/bees/said to be a bee.jpg"));
  EXPECT_THAT(names(same[2].at("files")), ElementsAre("train/ants/3.jpg", "val/ants/leaked.jpg"));
  EXPECT_FALSE(same[0].at("across_classes") || same[0].at("across_parts"));
  EXPECT_TRUE(same[1].at("across_classes") && !same[1].at("across_parts"));
  EXPECT_TRUE(same[2].at("across_parts") && !same[2].at("across_classes"));
  EXPECT_EQ(report_.at("leaked"), 1);
  EXPECT_THAT(result_.out, HasSubstr("leakage: 1 picture of val or test is in train, too"));
  EXPECT_THAT(result_.out, HasSubstr("the same content in different classes: 1 group"));
  EXPECT_THAT(result_.out, HasSubstr("the same content: 1 group"));
}

TEST_F(DirtyData, ClassesThatAreEmptyMissingOrUnknownAreSaid) {
  EXPECT_EQ(part("train").at("empty_classes"), json::array({"nothing"}));
  EXPECT_EQ(part("val").at("missing_classes"), json::array({"bees", "cats"}));
  EXPECT_EQ(part("val").at("unknown_classes"), json::array({"dogs"}));
  EXPECT_EQ(part("train").at("ignored"), json({{".gif", 1}, {".txt", 1}, {"beside the class folders", 1}}));
  EXPECT_DOUBLE_EQ(part("train").at("imbalance").get<double>(), 4.5);
  for (const char* words : {"train: class folders without a picture: nothing", "val: no picture of: bees, cats",
                            "val: classes that train does not have: dogs", ".gif 1"})
    EXPECT_THAT(result_.out, HasSubstr(words));
}

TEST_F(DirtyData, MeanAndDeviationAreOfTrainingAlone) {
  const json train = json::parse(read_text(folder_ / "stats.json"));
  ASSERT_EQ(resflow({"stats", folder_ / "train", "--json", folder_ / "train.json"}).exit_code, 0);
  const json alone = json::parse(read_text(folder_ / "train.json"));
  EXPECT_EQ(report_.at("mean"), alone.at("mean"));
  EXPECT_EQ(report_.at("std"), alone.at("std"));
  EXPECT_EQ(report_.at("pixels"), 10 * 224 * 224);
}

TEST(StatsProgram, ASetOfBrokenFilesIsDescribed) {
  const TemporaryFolder folder;
  write_text(folder / "data/a/1.jpg", "no picture");
  write_text(folder / "data/b/1.jpg", "");
  const ProcessResult result = resflow({"stats", folder / "data", "--json", folder / "stats.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(json::parse(read_text(folder / "stats.json")).at("mean").is_null());
  EXPECT_THAT(result.out, HasSubstr("cannot be read: 2 files"));
  EXPECT_THAT(result.out, HasSubstr("train: no picture that can be read of: a, b"));
  EXPECT_THAT(result.out, Not(HasSubstr("mean ")));
}

TEST(StatsProgram, LongListsAreCutAndWholeInTheJson) {
  const TemporaryFolder folder;
  for (int c = 0; c < 30; ++c) write_text(folder / ("data/class" + std::to_string(c) + "/1.jpg"), "no picture");
  const ProcessResult result = resflow({"stats", folder / "data", "--json", folder / "stats.json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("... 20 more ..."));
  EXPECT_THAT(result.out, HasSubstr("and 20 more: --json FILE has all"));
  const json train = json::parse(read_text(folder / "stats.json")).at("parts").at("train");
  EXPECT_EQ(train.at("classes").size(), 30U);
  EXPECT_EQ(train.at("broken").size(), 30U);
}

TEST(StatsProgram, RefusesWhatCannotBe) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 1);
  EXPECT_EQ(resflow({"stats", folder / "absent"}).exit_code, 3);
  EXPECT_EQ(resflow({"stats", folder / "data/net"}).exit_code, 3);
  EXPECT_EQ(resflow({"stats", folder / "data", "--image-size", "0"}).exit_code, 2);
  const ProcessResult unwritable = resflow({"stats", folder / "data", "--json", folder / "absent/stats.json"});
  EXPECT_EQ(unwritable.exit_code, 2);
  EXPECT_EQ(unwritable.out, "");  // said before the work
}

}  // namespace
}  // namespace resflow::testing
