#include "pipeline/in_order.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace resflow {
namespace {

struct Counter {
  int64_t done = 0;
};

// Early numbers take longest, so that without order they would come last.
int64_t slow_square(int64_t number) {
  if (number < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5 * (4 - number)));
  return number * number;
}

TEST(InOrder, EveryResultComesOnceAndInOrder) {
  const tbb::global_control more_than_cores(tbb::global_control::max_allowed_parallelism, 5);
  for (const int threads : {1, 2, 5})
    for (const int64_t count : {0, 1, 7, 300}) {
      std::vector<int64_t> numbers, results;
      std::atomic<int> at_once = 0;
      for_each_in_order<Counter, int64_t>(
          count, threads, [](Counter&, int64_t number) { return slow_square(number); },
          [&](int64_t number, int64_t result) {
            EXPECT_EQ(at_once.fetch_add(1), 0);
            numbers.push_back(number);
            results.push_back(result);
            at_once.fetch_sub(1);
            return true;
          });
      std::vector<int64_t> wanted(static_cast<size_t>(count));
      std::iota(wanted.begin(), wanted.end(), 0);
      EXPECT_EQ(numbers, wanted) << threads;
      for (int64_t& number : wanted) number *= number;
      EXPECT_EQ(results, wanted) << threads;
    }
}

TEST(InOrder, AThreadKeepsItsWorker) {
  const tbb::global_control more_than_cores(tbb::global_control::max_allowed_parallelism, 3);
  std::set<const Counter*> workers;
  int64_t most = 0;
  for_each_in_order<Counter, std::pair<const Counter*, int64_t>>(
      1000, 3,
      [](Counter& worker, int64_t) {
        return std::pair<const Counter*, int64_t>{&worker, ++worker.done};
      },
      [&](int64_t, const auto& result) {
        workers.insert(result.first);
        most = std::max(most, result.second);
        return true;
      });
  EXPECT_LE(workers.size(), 3U);
  EXPECT_GE(most, 1000 / 3);  // by one of them at least
}

TEST(InOrder, ResultsThatWaitAreBounded) {
  std::atomic<int64_t> started = 0;
  int64_t most_ahead = 0;
  constexpr int kThreads = 2, kBound = 8 * kThreads;
  for_each_in_order<Counter, int64_t>(
      200, kThreads,
      [&](Counter&, int64_t number) {
        ++started;
        if (number == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));  // all others wait for it
        return number;
      },
      [&](int64_t number, int64_t) {
        most_ahead = std::max(most_ahead, started - number);
        return true;
      });
  EXPECT_LE(most_ahead, kBound);
  EXPECT_EQ(started, 200);
}

TEST(InOrder, StopsWhereAsked) {
  std::atomic<int64_t> worked = 0;
  std::vector<int64_t> seen;
  for_each_in_order<Counter, int64_t>(
      100'000, 2,
      [&](Counter&, int64_t number) {
        ++worked;
        return number;
      },
      [&](int64_t number, int64_t) {
        seen.push_back(number);
        return number < 2;
      });
  EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_LT(worked, 100);
}

TEST(InOrder, WhatIsThrownLeavesAndAnotherRunFollows) {
  const auto run = [](bool work_throws, bool consume_throws) {
    int64_t consumed = 0;
    for_each_in_order<Counter, int64_t>(
        100, 2,
        [&](Counter&, int64_t number) {
          if (work_throws && number == 50) throw std::runtime_error("work");
          return number;
        },
        [&](int64_t number, int64_t) {
          if (consume_throws && number == 50) throw std::runtime_error("consume");
          ++consumed;
          return true;
        });
    return consumed;
  };
  const auto thrown = [&](bool work, bool consume) {
    try {
      run(work, consume);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(thrown(true, false), "work");
  EXPECT_EQ(thrown(false, true), "consume");
  EXPECT_EQ(run(false, false), 100);
}

}  // namespace
}  // namespace resflow
