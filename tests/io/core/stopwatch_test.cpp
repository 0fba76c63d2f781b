#include "io/core/stopwatch.h"

#include <gtest/gtest.h>

#include <thread>

namespace resflow {
namespace {

void sleep_for_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST(Stopwatch, CountsFromItsBeginning) {
  const Stopwatch watch;
  sleep_for_ms(20);
  const double seconds = watch.seconds(), milliseconds = watch.milliseconds();
  EXPECT_GE(seconds, 0.02);
  EXPECT_GE(milliseconds, 1e3 * seconds);
}

TEST(Stopwatch, LapsAddUpToTheWhole) {
  const Stopwatch whole;
  Stopwatch watch;
  sleep_for_ms(20);
  const double first = watch.lap();
  sleep_for_ms(10);
  const double second = watch.lap();
  EXPECT_GE(first, 0.02);
  EXPECT_GE(second, 0.01);
  EXPECT_LE(first + second, whole.seconds());
}

TEST(Stopwatch, Restarts) {
  const Stopwatch whole;
  Stopwatch watch;
  sleep_for_ms(20);
  watch.restart();
  EXPECT_LE(watch.seconds(), whole.seconds() - 0.02);
}

}  // namespace
}  // namespace resflow
