#include "apps/host/pinning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "io/core/error.h"
#include "tests/apps/program.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Pinning, ReadsCoresNodesAndHardwareThreads) {
  const std::vector<Core> cores = usable_cores("numa:2 core:4 pu:2");
  ASSERT_EQ(cores.size(), 8U);
  EXPECT_EQ(cores[3].node, 0);
  EXPECT_THAT(cores[3].cpus, ElementsAre(6, 7));
  EXPECT_EQ(cores[4].node, 1);
  EXPECT_THAT(cores[4].cpus, ElementsAre(8, 9));
}

TEST(Pinning, TakesOneHardwareThreadOfEachCoreOfOneNode) {
  const Pinning pinning = choose_cpus(usable_cores("numa:2 core:4 pu:2"), 3);
  EXPECT_THAT(pinning.cpus, ElementsAre(0, 2, 4));
  EXPECT_THAT(pinning.nodes, ElementsAre(0));
  EXPECT_EQ(pinning.cores, 3);
  EXPECT_EQ(pinning_sentence(pinning, 3), "3 threads to CPUs 0, 2 and 4: 3 cores of NUMA node 0");
}

TEST(Pinning, GoesToMoreNodesWhereOneHasTooFewCores) {
  const Pinning pinning = choose_cpus(usable_cores("numa:2 core:4 pu:2"), 6);
  EXPECT_THAT(pinning.cpus, ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(pinning.nodes, ElementsAre(0, 1));
}

TEST(Pinning, SharesCoresOnlyWhereThreadsOutnumberThem) {
  const Pinning pinning = choose_cpus(usable_cores("numa:2 core:2 pu:2"), 5);
  EXPECT_THAT(pinning.cpus, ElementsAre(0, 1, 2, 4, 6));
  EXPECT_EQ(pinning.cores, 4);
}

TEST(Pinning, OfMoreThreadsThanHardwareThreadsTakesAll) {
  const Pinning pinning = choose_cpus(usable_cores("numa:1 core:2 pu:2"), 64);
  EXPECT_THAT(pinning.cpus, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(pinning_sentence(pinning, 64), "64 threads to CPUs 0, 1, 2 and 3: 2 cores of NUMA node 0");
}

TEST(Pinning, TakesTheSmallestNodeThatWillDo) {
  const std::vector<Core> cores = {{.node = 0, .cpus = {0}}, {.node = 1, .cpus = {1}}, {.node = 1, .cpus = {2}},
                                   {.node = 2, .cpus = {3}}, {.node = 2, .cpus = {4}}, {.node = 2, .cpus = {5}}};
  EXPECT_THAT(choose_cpus(cores, 1).cpus, ElementsAre(0));
  EXPECT_THAT(choose_cpus(cores, 2).nodes, ElementsAre(1));
  EXPECT_THAT(choose_cpus(cores, 3).nodes, ElementsAre(2));
  EXPECT_THAT(choose_cpus(cores, 4).cpus, ElementsAre(0, 3, 4, 5));  // the largest, and the smallest for the rest
}

TEST(Pinning, RefusesWhatIsNoNotation) { EXPECT_THROW(usable_cores("two of them"), Error); }

// What this process may use, as the test programs started from it may.
std::vector<int> own_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) cpus.push_back(i);
  return cpus;
}

TEST(PinOption, KeepsToTheAffinityMask) {
  const int last = own_cpus().back();
  const auto run = testing::run_process(
      {"/usr/bin/taskset", "--cpu-list", std::to_string(last), RESFLOW_PROGRAM, "bench", "score", "--model", "resnet18",
       "--image-size", "32", "--batch", "2", "--seconds", "0.1", "--executors", "latency", "--pin"},
      {.input = {}, .environment = {}});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("pinned     1 thread to CPU " + std::to_string(last) + ": 1 core of NUMA node"));
}

TEST(PinOption, TakesACoreAThread) {
  const auto run = testing::resflow({"bench", "score", "--model", "resnet18", "--image-size", "32", "--batch", "2",
                                     "--seconds", "0.1", "--executors", "latency", "--threads", "1", "--pin"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("pinned     1 thread to CPU " + std::to_string(own_cpus().front()) + ": 1 core"));
  EXPECT_THAT(run.out + run.err, Not(HasSubstr("warning")));
}

// The process is bound once, however many runs train in it.
TEST(PinOption, IsSaidOnceByTraining) {
  const testing::TemporaryFolder folder;
  testing::draw_photos(folder / "photos", 2, 6);
  const auto count = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> all = {"--pin"};
    all.insert(all.end(), more.begin(), more.end());
    const auto run = testing::resflow(testing::train_arguments(folder / "photos", folder / out, all));
    EXPECT_EQ(run.exit_code, 0) << run.err;
    int times = 0;
    for (size_t at = run.err.find("pinned "); at != std::string::npos; at = run.err.find("pinned ", at + 1)) ++times;
    return times;
  };
  EXPECT_EQ(count("one", {}), 1);
  EXPECT_EQ(count("folds", {"--folds", "2"}), 1);
}

}  // namespace
}  // namespace resflow
