#include "apps/host/denormals.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <limits>
#include <thread>

#include "ops/compute.h"

namespace resflow {
namespace {

// Products at run time: `volatile` keeps the compiler from making them.
bool flushes() {
  volatile float least = std::numeric_limits<float>::min(), half = 0.5F;
  volatile float product = least * half;
  volatile float denormal = std::numeric_limits<float>::denorm_min(), large = 0x1p100F;
  volatile float taken = denormal * large;
  return product == 0 && taken == 0;
}

// In a thread of its own, whose state goes with it.
TEST(Denormals, CountAsZeroInAllThreadsThatAreMadeLater) {
  EXPECT_FALSE(flushes());
  std::thread([] {
    flush_denormals();
    EXPECT_TRUE(flushes());
    volatile float normal = std::numeric_limits<float>::min() * 2, half = 0.5F;
    EXPECT_EQ(normal * half, std::numeric_limits<float>::min());
    std::thread([] { EXPECT_TRUE(flushes()); }).join();
    const Compute compute(2);
    std::atomic<int> wrong = 0;
    compute.run([&] { tbb::parallel_for(0, 1000, [&](int) { wrong += flushes() ? 0 : 1; }); });
    EXPECT_EQ(wrong, 0);
  }).join();
  EXPECT_FALSE(flushes());
}

}  // namespace
}  // namespace resflow
