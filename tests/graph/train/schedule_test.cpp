#include "graph/train/schedule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

// Falls, stalls twice, rises, falls again: a plateau is left and found anew.
std::vector<double> losses(int64_t epochs) {
  std::vector<double> all;
  for (int64_t e = 0; e < epochs; ++e) {
    const auto x = static_cast<double>(e);
    all.push_back(e < 6 ? 2 - 0.2 * x : e < 14 ? 0.9 - 1e-6 * x : e < 20 ? 1.1 : 0.8 - 0.01 * std::fmod(x, 9));
  }
  return all;
}

std::vector<double> of_torch(const ScheduleOptions& o) {
  const std::string printed = testing::run_python(
      "graph/train/schedules.py",
      {o.name, fmt::format("{}", o.base), std::to_string(o.epochs), std::to_string(o.warmup_epochs),
       std::to_string(o.step_size), fmt::format("{}", fmt::join(o.milestones, ",")), fmt::format("{}", o.gamma),
       fmt::format("{}", o.min_lr), std::to_string(o.patience), fmt::format("{}", fmt::join(losses(o.epochs), ","))});
  if (printed.starts_with("absent")) return {};
  std::istringstream stream(printed);
  return {std::istream_iterator<double>(stream), {}};
}

TEST(Schedule, RatesAreTorchs) {
  const std::vector<ScheduleOptions> all = {
      {.name = "none", .base = 0.3, .epochs = 6, .warmup_epochs = 4},
      {.name = "step", .base = 0.1, .epochs = 20, .step_size = 3, .gamma = 0.5},
      {.name = "step", .base = 0.1, .epochs = 20, .warmup_epochs = 5, .step_size = 4},
      {.name = "multistep", .base = 0.1, .epochs = 12, .milestones = {2, 3, 9}},
      {.name = "multistep", .base = 0.1, .epochs = 12, .warmup_epochs = 1, .milestones = {2, 7}, .gamma = 0.2},
      {.name = "cosine", .base = 0.1, .epochs = 90, .min_lr = 1e-5},
      {.name = "cosine", .base = 1e-3, .epochs = 30, .warmup_epochs = 5},
      {.name = "plateau", .base = 0.1, .epochs = 40, .gamma = 0.3, .min_lr = 2e-3, .patience = 2},
      {.name = "plateau", .base = 0.1, .epochs = 40, .patience = 0},
      {.name = "plateau", .base = 1e-7, .epochs = 40, .patience = 1},  // eps: not reduced below what matters
  };
  for (const ScheduleOptions& o : all) {
    check(o);
    const std::vector<double> wanted = of_torch(o), of_run = losses(o.epochs);
    if (wanted.empty()) GTEST_SKIP() << "needs torch";
    ASSERT_EQ(static_cast<int64_t>(wanted.size()), o.epochs);
    for (int64_t e = 0; e < o.epochs; ++e) {
      const double got = learning_rate(o, std::span(of_run).first(static_cast<size_t>(e)));
      // torch gets each rate from the one before, which rounds once an epoch.
      EXPECT_NEAR(got, wanted[static_cast<size_t>(e)], 1e-12 * o.base)
          << o.name << ", warm-up " << o.warmup_epochs << ", epoch " << e;
    }
  }
}

TEST(Schedule, OneCycleIsTorchsStepByStep) {
  for (const auto& [epochs, epoch_steps] : {std::pair{5, 7}, {1, 100}, {40, 3}, {2, 2}}) {
    const ScheduleOptions o = {.name = "onecycle", .base = 0.3, .epochs = epochs, .epoch_steps = epoch_steps};
    check(o);
    ASSERT_TRUE(is_stepwise(o));
    const std::string printed =
        testing::run_python("graph/train/schedules.py", {"onecycle", "0.3", std::to_string(epochs * epoch_steps)});
    if (printed.starts_with("absent")) GTEST_SKIP() << "needs torch";
    std::istringstream stream(printed);
    const std::vector<double> of_run = losses(epochs);
    for (int64_t step = 0; step < o.epochs * o.epoch_steps; ++step) {
      double lr = 0, momentum = 0, beta1 = 0;
      ASSERT_TRUE(stream >> lr >> momentum >> beta1);
      const auto done = std::span(of_run).first(static_cast<size_t>(step / o.epoch_steps));
      EXPECT_NEAR(learning_rate(o, done, step % o.epoch_steps), lr, 1e-14) << "step " << step;
      EXPECT_NEAR(cycled_momentum(o, step), momentum, 1e-14) << "step " << step;
      EXPECT_EQ(momentum, beta1);
    }
  }
}

TEST(Schedule, WhatCannotBeIsRefused) {
  const auto refused = [](const ScheduleOptions& o, const std::string& why) {
    testing::expect_error(ErrorKind::kUsage, {why}, [&] { check(o); });
  };
  refused({.name = "exponential"}, "\"exponential\"");
  refused({.name = "multistep"}, "multistep without milestones");
  refused({.name = "multistep", .milestones = {3, 3}}, "milestone 3");
  refused({.gamma = 0}, "gamma is 0");
  refused({.name = "plateau", .gamma = 1}, "below 1 for a plateau");
  refused({.min_lr = 1}, "min lr is 1");
  refused({.name = "cosine", .epochs = 5, .warmup_epochs = 5}, "5 warm-up epochs of 5");
  refused({.name = "onecycle", .warmup_epochs = 1}, "it begins with its own");
  refused({.step_size = 0}, "step size is 0");
}

}  // namespace
}  // namespace resflow
