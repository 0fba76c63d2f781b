#include "apps/score/executor_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <dnnl.hpp>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "io/core/error.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ParseExecutors, KnowsWordsAndNumbers) {
  EXPECT_EQ(parse_executors("auto", 8), kChooseExecutors);
  EXPECT_EQ(parse_executors("latency", 8), 1);
  EXPECT_EQ(parse_executors("throughput", 8), 8);
  EXPECT_EQ(parse_executors("3", 8), 3);
  EXPECT_EQ(parse_executors("throughput", 1), 1);
  for (const char* text : {"", "0", "-2", "1.5", "many", "99999999999"})
    testing::expect_error(ErrorKind::kUsage, {"executors", "wanted auto, throughput, latency or a number from 1"},
                          [&] { parse_executors(text, 8); });
  testing::expect_error(ErrorKind::kUsage, {"executors 9", "of which there are 8 (threads)"},
                        [&] { parse_executors("9", 8); });
}

TEST(ResumedExecutors, AreThoseThatTheRunWasBegunWith) {
  check_resumed_executors(2, 2, "scores.csv");
  check_resumed_executors(kChooseExecutors, 2, "scores.csv");
  check_resumed_executors(kChooseExecutors, kChooseExecutors, "scores.csv");
  testing::expect_error(ErrorKind::kUsage,
                        {"scores.csv was begun with executors 1, now it is executors 2", "overwrite"},
                        [] { check_resumed_executors(2, 1, "scores.csv"); });
  testing::expect_error(ErrorKind::kUsage, {"begun with executors auto, now it is executors 2"},
                        [] { check_resumed_executors(2, kChooseExecutors, "scores.csv"); });
}

TEST(ExecutorCandidates, AreAFewThreadsEachAndOneEach) {
  constexpr size_t kSmall = 1000;
  EXPECT_THAT(executor_candidates(1, kSmall), IsEmpty());
  EXPECT_THAT(executor_candidates(2, kSmall), ElementsAre(2));
  EXPECT_THAT(executor_candidates(4, kSmall), ElementsAre(4));
  EXPECT_THAT(executor_candidates(8, kSmall), ElementsAre(2, 8));
  EXPECT_THAT(executor_candidates(64, kSmall), ElementsAre(16, 64));
}

TEST(ExecutorCandidates, TakeNoMoreThan2GiB) {
  constexpr size_t kMiB = size_t{1} << 20U;
  EXPECT_THAT(executor_candidates(64, 100 * kMiB), ElementsAre(16, 20));
  EXPECT_THAT(executor_candidates(64, 200 * kMiB), ElementsAre(10));
  EXPECT_THAT(executor_candidates(64, 1500 * kMiB), IsEmpty());
}

TEST(FastestOf, IsTheFewestThatAreNearlyAsFast) {
  const auto chosen = [](const std::vector<double>& rates) {
    std::vector<ExecutorSpeed> speeds;
    for (const double rate : rates) speeds.push_back({.images_per_second = rate});
    return fastest_of(speeds);
  };
  EXPECT_EQ(chosen({100}), 0U);
  EXPECT_EQ(chosen({100, 101}), 0U);
  EXPECT_EQ(chosen({100, 103}), 1U);
  EXPECT_EQ(chosen({100, 110, 111}), 1U);
  EXPECT_EQ(chosen({100, 110, 120}), 2U);
  EXPECT_EQ(chosen({100, 90, 80}), 0U);
}

TEST(ExecutorsSentence, SaysWhatWasChosenAndWhy) {
  const std::vector<ExecutorSpeed> speeds = {{1, 8, 84.66}, {2, 4, 90}, {8, 1, 96.72}};
  EXPECT_EQ(executors_sentence(speeds, 2),
            "8 of 1 thread: 96.7 img/s by the network alone, against 84.7 by 1 of 8 threads, 90.0 by 2 of 4 threads");
  EXPECT_EQ(executors_sentence({{1, 2, 50}, {2, 1, 40}}, 0),
            "1 of 2 threads: 50.0 img/s by the network alone, against 40.0 by 2 of 1 thread");
}

TEST(MachineAllows, IsFalseWhereMemoryOrThreadsEnd) {
  EXPECT_TRUE(machine_allows([] {}));
  EXPECT_FALSE(machine_allows([] { throw std::bad_alloc(); }));
  EXPECT_FALSE(machine_allows([] { throw std::system_error(EAGAIN, std::generic_category()); }));
  EXPECT_FALSE(machine_allows([] { throw dnnl::error(dnnl_out_of_memory, "no memory"); }));
  EXPECT_FALSE(machine_allows([] { throw system_error("no memory"); }));
  EXPECT_THROW(machine_allows([] { throw dnnl::error(dnnl_invalid_arguments, "wrong"); }), dnnl::error);
  EXPECT_THROW(machine_allows([] { throw data_error("broken"); }), Error);
  EXPECT_THROW(machine_allows([] { throw std::logic_error("ours"); }), std::logic_error);
}

// More executors are a matter of speed alone: one serves where they cannot be had.
TEST(ChooseExecutors, OneServesWhereOthersFailForWantOfMemory) {
  const Compute compute(2);
  Model model({.architecture = "resnet18", .num_classes = 3}, compute);
  const PlanOptions options = {.batch = 2, .height = 32, .width = 32};
  const std::thread::id here = std::this_thread::get_id();
  const ExecutorChoice choice = choose_executors(
      std::make_unique<Executors>(model, options, 1, 2), model, {2}, 2,
      [&](Plan& /*plan*/) {
        if (std::this_thread::get_id() != here) throw dnnl::error(dnnl_out_of_memory, "no memory");
      },
      2);
  EXPECT_EQ(choice.executors->count(), 1);
  EXPECT_EQ(choice.speeds.size(), 1U);
}

// Work that takes as long with any number of threads is done twice as fast by two.
TEST(ChooseExecutors, TakesWhatIsFaster) {
  const Compute compute(2);
  Model model({.architecture = "resnet18", .num_classes = 3}, compute);
  const PlanOptions options = {.batch = 2, .height = 32, .width = 32};
  const auto choose = [&](const Executors::Work& work) {
    return choose_executors(std::make_unique<Executors>(model, options, 1, 2), model, {2}, 2, work, 2);
  };
  const ExecutorChoice two = choose([](Plan& /*plan*/) { std::this_thread::sleep_for(std::chrono::milliseconds(50)); });
  EXPECT_EQ(two.executors->count(), 2);
  EXPECT_EQ(two.executors->threads(), 1);
  ASSERT_EQ(two.speeds.size(), 2U);
  EXPECT_LE(two.speeds[0].images_per_second, 40);
  EXPECT_GT(two.speeds[1].images_per_second, two.speeds[0].images_per_second);
  EXPECT_LE(two.speeds[1].images_per_second, 80);

  const std::thread::id here = std::this_thread::get_id();
  const ExecutorChoice one = choose([&](Plan& /*plan*/) {
    if (std::this_thread::get_id() != here) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  EXPECT_EQ(one.executors->count(), 1);
  EXPECT_EQ(one.executors->threads(), 2);
}

}  // namespace
}  // namespace resflow
