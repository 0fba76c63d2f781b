#include "apps/bench/step_times.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(StepTimes, AreSummedAndOrdered) {
  const StepTimes times = {.ms = {3, 1, 2}};
  EXPECT_DOUBLE_EQ(times.minimum(), 1);
  EXPECT_DOUBLE_EQ(times.median(), 2);
  EXPECT_DOUBLE_EQ(times.total_seconds(), 0.006);
}

TEST(StepTimes, AreOfThreeStepsAtLeastAndNotOfTheFirst) {
  int steps = 0;
  const StepTimes times = measure_steps(0, [&] { ++steps; });
  EXPECT_GE(times.ms.size(), 3U);
  EXPECT_GE(steps, static_cast<int>(times.ms.size()) + 2);
}

}  // namespace
}  // namespace resflow
