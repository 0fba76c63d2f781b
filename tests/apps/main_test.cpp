// The program as a whole: help, versions, usage errors. One clear sentence and exit code 2 each.
//
// Covers: apps/machine/versions apps/options/common
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Exit code, one line on standard error that says `words`, nothing on standard output.
void expect_program_refuses(const std::vector<std::string>& arguments, int exit_code, const std::string& words) {
  const ProcessResult result = resflow(arguments);
  SCOPED_TRACE(result.err);
  EXPECT_EQ(result.exit_code, exit_code);
  EXPECT_THAT(result.err, HasSubstr(words));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
  EXPECT_TRUE(result.err.starts_with("resflow: "));
}

TEST(Program, EveryHelpShowsAnExample) {
  const std::vector<std::vector<std::string>> commands = {{},
                                                          {"train"},
                                                          {"score"},
                                                          {"merge"},
                                                          {"evaluate"},
                                                          {"inspect"},
                                                          {"weights"},
                                                          {"stats"},
                                                          {"split"},
                                                          {"preview"},
                                                          {"pack"},
                                                          {"convert"},
                                                          {"quantize"},
                                                          {"bench"},
                                                          {"bench", "load"},
                                                          {"bench", "train"},
                                                          {"bench", "score"},
                                                          {"bench", "read"},
                                                          {"bench", "pipeline"},
                                                          {"bench", "layers"},
                                                          {"demo"},
                                                          {"help"}};
  for (auto command : commands) {
    command.emplace_back("--help");
    const ProcessResult result = resflow(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("Example:\n  "));
    EXPECT_EQ(result.err, "");
  }
}

TEST(Program, VersionNamesLibrariesAndInstructions) {
  const ProcessResult result = resflow({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* name : {"resflow ", "oneDNN ", "oneTBB ", "libjpeg-turbo ", "libpng ", "Protobuf ", "instructions "})
    EXPECT_THAT(result.out, HasSubstr(name));
}

TEST(Program, RefusesWhatItDoesNotKnowAndPointsToHelp) {
  expect_program_refuses({}, 2, "see resflow --help");
  expect_program_refuses({"paint"}, 2, "see resflow --help");
  expect_program_refuses({"train"}, 2, "DATA is required (see resflow train --help)");
  expect_program_refuses({"train", "data", "--colour", "red"}, 2, "--colour");
  expect_program_refuses({"train", "data", "--epochs", "many"}, 2, "see resflow train --help");
  expect_program_refuses({"bench", "sleep"}, 2, "see resflow bench --help");
}

// One cap for oneDNN and our kernels together, whichever of the two names it has.
TEST(Program, InstructionSetsCanBeCapped) {
  const auto plan = [](const std::string& environment) {
    return run_process({RESFLOW_PROGRAM, "inspect", "resnet18", "--plan", "--mode", "train", "--image-size", "64",
                        "--batch", "2", "--threads", "1"},
                       {.input = {}, .environment = {environment}});
  };
  for (const char* variable : {"RESFLOW_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA"}) {
    const ProcessResult capped = plan(std::string(variable) + "=AVX2");
    EXPECT_EQ(capped.exit_code, 0) << capped.err;
    EXPECT_THAT(capped.out, Not(HasSubstr("avx512"))) << variable;
    EXPECT_THAT(capped.out, Not(HasSubstr("ref"))) << variable;
  }
  EXPECT_THAT(plan("RESFLOW_MAX_CPU_ISA=sse41").out, HasSubstr("resflow:plain"));
  const ProcessResult wrong = plan("RESFLOW_MAX_CPU_ISA=AVX3");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("resflow: the environment's RESFLOW_MAX_CPU_ISA is 'AVX3': wanted SSE41, "));
}

TEST(Program, RefusesNoThreadsEverywhere) {
  const std::string words = "--threads is 0: wanted at least 1";
  expect_program_refuses({"train", "/nowhere", "--threads", "0"}, 2, words);
  expect_program_refuses({"score", "/nowhere", "/nowhere", "--threads", "0"}, 2, words);
  expect_program_refuses({"inspect", "resnet18", "--threads", "0"}, 2, words);
  expect_program_refuses({"bench", "load", "--data", "/nowhere", "--threads", "0"}, 2, words);
  expect_program_refuses({"bench", "train", "--threads", "0"}, 2, words);
  expect_program_refuses({"bench", "score", "--threads", "-3"}, 2, "--threads is -3: wanted at least 1");
  expect_program_refuses({"demo", "--threads", "0"}, 2, words);
}

TEST(Program, WarnsWhereThereAreFewerCpusThanThreads) {
  const ProcessResult few = run_process({"taskset", "-c", "0", RESFLOW_PROGRAM, "inspect", "resnet18", "--image-size",
                                         "32", "--batch", "1", "--threads", "2"});
  if (few.exit_code == 127) GTEST_SKIP() << "no taskset here";
  EXPECT_EQ(few.exit_code, 0);
  EXPECT_THAT(few.err, HasSubstr("warning: --threads 2: this process may use 1 CPU;"));
  const ProcessResult by_itself =
      run_process({"taskset", "-c", "0", RESFLOW_PROGRAM, "inspect", "resnet18", "--image-size", "32", "--batch", "1"});
  EXPECT_THAT(by_itself.out, HasSubstr("on 1 thread:"));
  EXPECT_THAT(by_itself.err, Not(HasSubstr("warning")));
}

// Needs a cgroup that we may make: root, and a hierarchy that is mounted for writing.
TEST(Program, UsesNoMoreThreadsThanTheCgroupAllows) {
  const std::string script =
      "for cpu in /sys/fs/cgroup/cpu /sys/fs/cgroup/cpu,cpuacct; do "
      "  g=$cpu/resflow-test-$$; mkdir $g 2>/dev/null || continue; "
      "  echo 100000 > $g/cpu.cfs_period_us && echo 100000 > $g/cpu.cfs_quota_us && "
      "  (echo 0 > $g/cgroup.procs 2>/dev/null || sh -c 'echo $PPID' > $g/cgroup.procs; "
      "   exec \"$0\" inspect resnet18 --image-size 32 --batch 1); "
      "  code=$?; rmdir $g; exit $code; "
      "done; exit 77";
  const ProcessResult result = run_process({"sh", "-c", script, RESFLOW_PROGRAM});
  if (result.exit_code != 0) GTEST_SKIP() << "no cgroup to be made here: " << result.err;
  EXPECT_THAT(result.out, HasSubstr("on 1 thread:"));
}

}  // namespace
}  // namespace resflow::testing
