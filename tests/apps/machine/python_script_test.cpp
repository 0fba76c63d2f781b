#include "apps/machine/python_script.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace resflow {
namespace {

constexpr const char* kPython = "/usr/bin/python3";

class PythonScript : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPython)) GTEST_SKIP() << "there is no " << kPython;
  }
  ScratchFolder folder_;
};

TEST_F(PythonScript, GetsItsArgumentsAndSaysWhatItPrints) {
  const PythonRun run = run_python_script(kPython, "import sys\nprint(' '.join(sys.argv[1:]))", {"a b", "c"}, folder_);
  EXPECT_TRUE(run.started);
  EXPECT_TRUE(run.succeeded);
  EXPECT_EQ(run.why, "exit code 0");
  EXPECT_EQ(run.out, "a b c\n");
  EXPECT_EQ(run.last_words, "");
}

TEST_F(PythonScript, ThatFailsLeavesItsLastWords) {
  const PythonRun run = run_python_script(kPython, "print('out')\nraise SystemExit('first\\nlast')", {}, folder_);
  EXPECT_TRUE(run.started);
  EXPECT_FALSE(run.succeeded);
  EXPECT_EQ(run.why, "exit code 1");
  EXPECT_EQ(run.out, "out\n");
  EXPECT_EQ(run.last_words, "last");
}

TEST_F(PythonScript, OfASignalSaysWhich) {
  const PythonRun run = run_python_script(kPython, "import os\nos.kill(os.getpid(), 9)", {}, folder_);
  EXPECT_EQ(run.why, "signal 9");
  EXPECT_FALSE(run.succeeded);
}

TEST_F(PythonScript, ImportsNothingFromTheCurrentFolder) {
  const PythonRun run = run_python_script(kPython, "import sys\nprint('' in sys.path)", {}, folder_);
  EXPECT_EQ(run.out, "False\n");
}

TEST_F(PythonScript, NeedsAPython) {
  const PythonRun run = run_python_script("no-such-python", "", {}, folder_);
  EXPECT_FALSE(run.started);
  EXPECT_EQ(run.why, "No such file or directory");
}

}  // namespace
}  // namespace resflow
