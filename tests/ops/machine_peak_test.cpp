#include "ops/machine_peak.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(GemmPeak, GivesASpeedThatThisMachineCanHave) {
  const Compute compute(2);
  GemmPeak gemm(compute, 256);
  EXPECT_EQ(gemm.side(), 256);
  const double gflops = gemm.run(0);
  EXPECT_GT(gflops, 0.1);
  EXPECT_LT(gflops, 1e4);  // two cores of any CPU: two units of 16 lanes, two operations, 6 GHz make 768
}

TEST(MemoryPeak, GivesASpeedThatThisMachineCanHave) {
  const Compute compute(2);
  MemoryPeak memory(compute, 1 << 20);
  const double gbytes = memory.run(0.01);
  EXPECT_GT(gbytes, 0.1);
  EXPECT_LT(gbytes, 5e3);
}

}  // namespace
}  // namespace resflow
