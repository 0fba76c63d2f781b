#include "apps/model/class_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/apps/program.h"
#include "tests/io/expect_error.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ClassNames, ImagenetsAreTorchvisions) {
  const std::string output = run_python("apps/model/pretrained_table.py", {"resnet18"});
  if (output.starts_with("absent")) GTEST_SKIP() << output;
  EXPECT_EQ(load_class_names("imagenet", silent()),
            nlohmann::json::parse(output)["classes"].get<std::vector<std::string>>());
}

TEST(ClassNames, ImagenetsAreThousandAndNoTwoAreAlike) {
  std::vector<std::string> names = load_class_names("imagenet", silent());
  EXPECT_EQ(names.size(), 1000U);
  EXPECT_EQ(names.front(), "tench");
  EXPECT_EQ(names.back(), "toilet tissue");
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

TEST(ClassNames, ImagenetsFoldersAreCalledByWordNetsIds) {
  const auto names = load_class_names("imagenet", silent());
  const std::map<std::string, std::string> others =
      other_class_names(std::vector<std::string>(names.begin(), names.end()));
  ASSERT_EQ(others.size(), 1000U);  // no two are alike
  // The ids are sorted as the classes are numbered.
  size_t index = 0;
  for (const auto& [id, name] : others) EXPECT_EQ(name, names[index++]) << id;
  // Imagenette's ten.
  EXPECT_EQ(others.at("n01440764"), "tench");
  EXPECT_EQ(others.at("n02102040"), "English springer");
  EXPECT_EQ(others.at("n02979186"), "cassette player");
  EXPECT_EQ(others.at("n03000684"), "chain saw");
  EXPECT_EQ(others.at("n03028079"), "church");
  EXPECT_EQ(others.at("n03394916"), "French horn");
  EXPECT_EQ(others.at("n03417042"), "garbage truck");
  EXPECT_EQ(others.at("n03425413"), "gas pump");
  EXPECT_EQ(others.at("n03445777"), "golf ball");
  EXPECT_EQ(others.at("n03888257"), "parachute");
  EXPECT_TRUE(other_class_names(std::vector<std::string>{"ant", "bee"}).empty());
}

class NamesFile : public ::testing::Test {
 protected:
  std::vector<std::string> load(const std::string& text) {
    write_text(path_, text);
    return load_class_names(path_, heard_);
  }
  HeardSentences heard_;
  TemporaryFolder folder_;
  std::string path_ = folder_ / "names.txt";
};

TEST_F(NamesFile, HoldsANameALine) {
  EXPECT_THAT(load("ant\ngrey bee\n"), ElementsAre("ant", "grey bee"));
  EXPECT_THAT(load("ant\ngrey bee"), ElementsAre("ant", "grey bee"));
  EXPECT_THAT(load("ant\r\ngrey bee\r\n"), ElementsAre("ant", "grey bee"));
  EXPECT_THAT(load("ant\nbee\n\n\r\n"), ElementsAre("ant", "bee"));
  EXPECT_THAT(load("\xEF\xBB\xBF"
                   "ant\nbee\n"),
              ElementsAre("ant", "bee"));
  EXPECT_THAT(load("Fu\xC3\x9F\nb\xEA\nb, \"c\"\n"), ElementsAre("Fu\xC3\x9F", "b\xEA", "b, \"c\""));
}

TEST_F(NamesFile, OfWhichTwoAreAlikeIsWarnedOf) {
  EXPECT_THAT(load("crane\nant\ncrane\n"), ElementsAre("crane", "ant", "crane"));
  EXPECT_THAT(heard_.warnings(), HasSubstr(path_ + ": lines 1 and 3 are both \"crane\""));
}

TEST_F(NamesFile, ThatIsNoListIsRefused) {
  const auto refused = [&](const std::string& text, const std::string& words) {
    expect_error(ErrorKind::kData, {path_, words}, [&] { load(text); });
  };
  refused("", "holds no class names");
  refused("\n\r\n", "holds no class names");
  refused("ant\n\nbee\n", "line 2 is empty");
  refused("\nant\n", "line 1 is empty");
  refused(photo_bytes(0, 0), "is a JPEG");
  refused(std::string("ant\0bee", 7), "is no text");
  expect_error(ErrorKind::kData, {folder_ / "absent"}, [&] { load_class_names(folder_ / "absent", silent()); });
  expect_error(ErrorKind::kData, {folder_.path().string()},
               [&] { load_class_names(folder_.path().string(), silent()); });
  std::ofstream(path_).close();
  std::filesystem::resize_file(path_, 65 << 20);
  expect_error(ErrorKind::kData, {"68.2 MB is no list of class names"}, [&] { load_class_names(path_, silent()); });
}

}  // namespace
}  // namespace resflow::testing
