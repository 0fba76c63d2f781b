// resflow demo, as a newcomer runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

// It fails by itself where fewer than 95 % of the validation photographs are right.
TEST(DemoProgram, LearnsItsPhotographs) {
  const TemporaryFolder folder;
  const ProcessResult result = resflow({"demo", "--out", folder / "demo"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("What to type next:"));
  for (const char* file : {"photos/train/fence/000.jpg", "run/best.resflow", "run/history.csv", "scores.csv"})
    EXPECT_TRUE(std::filesystem::exists(folder / (std::string("demo/") + file))) << file;
}

TEST(DemoProgram, LeavesOtherFilesAlone) {
  const TemporaryFolder folder;
  write_text(folder / "thesis.tex", "x");
  const ProcessResult result = resflow({"demo", "--out", folder.path()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("holds other files"));
}

TEST(DemoProgram, APhotographOfTheSameClassIsNoDemo) {
  const TemporaryFolder folder;
  write_text(folder / "photos/train/fence/000.jpg", photo_bytes(0, 1));
  write_text(folder / "run/last.resflow", "of weeks");
  const ProcessResult result = resflow({"demo", "--out", folder.path()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("holds other files"));
  EXPECT_EQ(read_text(folder / "run/last.resflow"), "of weeks");
}

}  // namespace
}  // namespace resflow::testing
