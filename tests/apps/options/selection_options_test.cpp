// --exclude and --extensions, and parts of a data set that would be classes, at the command line.
#include "apps/options/selection_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class SelectionProgram : public ::testing::Test {
 protected:
  SelectionProgram() { draw_photos(folder_ / "photos", 3, 2); }

  ProcessResult run(std::vector<std::string> words) { return resflow(words); }

  ProcessResult train(const std::string& data, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"train",    folder_ / data, "--out", folder_ / "run", "--overwrite", "--model",
                                      "resnet18", "--epochs",     "0",     "--image-size",  "32",          "--batch",
                                      "2"};
    words.insert(words.end(), more.begin(), more.end());
    return resflow(words);
  }

  std::string class_name(size_t number) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "photos")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names.at(number);
  }

  TemporaryFolder folder_;
};

TEST_F(SelectionProgram, LeavesOutAndTakesWhatItIsTold) {
  const std::string first = class_name(0), second = class_name(1), third = class_name(2);
  fs::create_directories(folder_ / "photos/.ipynb_checkpoints");
  for (const auto& entry : fs::directory_iterator(folder_ / ("photos/" + first))) {
    fs::copy(entry.path(), folder_ / "photos/.ipynb_checkpoints");
    fs::rename(entry.path(), fs::path(entry.path()).replace_extension(".jfif"));
  }
  const ProcessResult plain = train("photos");
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_THAT(plain.err, HasSubstr("takes .ipynb_checkpoints (2 pictures) for a class, as torchvision does; to leave "
                                   "that out: --exclude .ipynb_checkpoints"));
  EXPECT_THAT(
      plain.out,
      HasSubstr("2 files left out by their ending: .jfif 2; they begin as JPEG: --extensions .jfif takes them"));

  const std::vector<std::string> rules = {"--exclude", ".ipynb_checkpoints", "--extensions",
                                          ".jfif",     "--exclude",          "x*"};
  const ProcessResult told = train("photos", rules);
  ASSERT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.err, Not(HasSubstr("warning")));
  EXPECT_THAT(told.err, HasSubstr("--exclude 'x*' matches nothing"));
  EXPECT_THAT(told.out, HasSubstr("6 pictures, 3 classes (" + first + " 2"));
  // The run's own configuration has them.
  const std::string config = read_text(folder_ / "run/config.toml");
  EXPECT_THAT(config, HasSubstr("exclude = [\".ipynb_checkpoints\", \"x*\"]"));

  for (const char* command : {"stats", "split", "pack", "preview", "evaluate", "score"}) {
    SCOPED_TRACE(command);
    std::vector<std::string> words = {command};
    if (std::string(command) == "evaluate" || std::string(command) == "score")
      words.push_back(folder_ / "run/last.resflow");
    words.push_back(folder_ / "photos");
    if (std::string(command) == "split") words.insert(words.end(), {"--out", folder_ / "parts"});
    if (std::string(command) == "pack") words.push_back(folder_ / "all.resflow-pack");
    if (std::string(command) == "preview") words.insert(words.end(), {"--out", folder_ / "grid.png"});
    words.insert(words.end(), rules.begin(), rules.end());
    const ProcessResult result = resflow(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("--exclude 'x*' matches nothing"));
    EXPECT_THAT(result.out + result.err, HasSubstr("6 "));
    EXPECT_THAT(result.err, Not(HasSubstr("warning")));
  }
}

TEST_F(SelectionProgram, ThatOneClassOrNoneIsLeftIsAnErrorWithItsReason) {
  const ProcessResult one = train("photos", {"--exclude", class_name(0), "--exclude", class_name(1)});
  EXPECT_EQ(one.exit_code, 3);
  EXPECT_THAT(one.err, HasSubstr("has one class only (" + class_name(2) + ") that --exclude leaves in"));
  const ProcessResult none = train("photos", {"--exclude", "*"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("--exclude leaves no class folder: " + class_name(0)));
  const ProcessResult files = train("photos", {"--exclude", "*.*"});
  EXPECT_EQ(files.exit_code, 3);
  EXPECT_THAT(files.err, HasSubstr("--exclude leaves out others"));
  EXPECT_EQ(train("photos", {"--exclude", ""}).exit_code, 2);
  EXPECT_EQ(train("photos", {"--extensions", "jfif"}).exit_code, 2);
}

TEST_F(SelectionProgram, PartsThatWouldBeClassesAreRefusedWithTheCommandThatWasMeant) {
  fs::create_directories(folder_ / "d");
  fs::copy(folder_ / "photos", folder_ / "d/training_set", fs::copy_options::recursive);
  fs::copy(folder_ / "photos", folder_ / "d/test_set", fs::copy_options::recursive);
  const std::string meant = folder_ / "d/training_set --val " + (folder_ / "d/test_set");
  const ProcessResult result = train("d");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("d: training_set and test_set are parts of a data set, and would be taken for its "
                                    "classes: resflow train " +
                                    meant));
  const ProcessResult stats = run({"stats", folder_ / "d"});
  EXPECT_EQ(stats.exit_code, 2);
  EXPECT_THAT(stats.err, HasSubstr("resflow stats " + (folder_ / "d/training_set")));

  // What is understood, one level deeper.
  fs::create_directories(folder_ / "e/animals");
  fs::rename(folder_ / "d/training_set", folder_ / "e/animals/Train");
  fs::rename(folder_ / "d/test_set", folder_ / "e/animals/Test");
  EXPECT_THAT(train("e").err, HasSubstr("e/animals: Train and Test are parts of a data set, and would be taken for its "
                                        "classes: resflow train " +
                                        (folder_ / "e/animals\n")));
  const ProcessResult test = train("e/animals");
  EXPECT_EQ(test.exit_code, 0) << test.err;
  EXPECT_THAT(test.err, HasSubstr("Test looks like test data, and nothing is validated with it: --val " +
                                  (folder_ / "e/animals/Test") + " does so"));
  const ProcessResult measured = run({"evaluate", folder_ / "run/last.resflow", folder_ / "e/animals"});
  EXPECT_EQ(measured.exit_code, 2);
  EXPECT_THAT(measured.err,
              HasSubstr("resflow evaluate " + (folder_ / "run/last.resflow") + " " + (folder_ / "e/animals/Test")));
  // Without classes.
  fs::create_directories(folder_ / "f");
  fs::copy(folder_ / ("photos/" + class_name(0)), folder_ / "f/train", fs::copy_options::recursive);
  fs::copy(folder_ / ("photos/" + class_name(1)), folder_ / "f/val", fs::copy_options::recursive);
  const ProcessResult flat = train("f");
  EXPECT_EQ(flat.exit_code, 2);
  EXPECT_THAT(flat.err, HasSubstr("train and val are parts of a data set, not classes, and hold no class folders"));
}

TEST_F(SelectionProgram, ValidMeansValidation) {
  fs::create_directories(folder_ / "d");
  fs::copy(folder_ / "photos", folder_ / "d/Train", fs::copy_options::recursive);
  fs::copy(folder_ / "photos", folder_ / "d/valid", fs::copy_options::recursive);
  const ProcessResult result = train("d");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("validation 6 pictures in " + (folder_ / "d/valid")));
}

}  // namespace
}  // namespace resflow::testing
