#include "ops/vector_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace resflow {
namespace {

// More than one thread's piece, and not a whole number of them.
constexpr size_t kCount = 40001;

std::vector<float> ramp(float step) {
  std::vector<float> values(kCount);
  for (size_t i = 0; i < kCount; ++i) values[i] = step * static_cast<float>(i % 1000);
  return values;
}

TEST(VectorMath, TheFirstSumForgetsWhatWasThere) {
  const Compute compute(3);
  const std::vector<float> values = ramp(0.5F);
  std::vector<float> sum(kCount, NAN);
  add_scaled(compute, sum.data(), values, 2, true);
  EXPECT_EQ(sum, ramp(1));
  add_scaled(compute, sum.data(), values, 4, false);
  EXPECT_EQ(sum, ramp(3));
}

TEST(VectorMath, BlendsWithTheDecay) {
  const Compute compute(3);
  std::vector<float> average = ramp(1);
  blend(compute, average.data(), ramp(3), 0.5);
  EXPECT_EQ(average, ramp(2));
}

TEST(VectorMath, ExchangesAndScales) {
  const Compute compute(3);
  std::vector<float> a = ramp(1), b = ramp(2);
  exchange(compute, a, b);
  EXPECT_EQ(a, ramp(2));
  EXPECT_EQ(b, ramp(1));
  scale(compute, b, 4);
  EXPECT_EQ(b, ramp(4));
}

TEST(VectorMath, ANormIsTheSameForAnyThreads) {
  const std::vector<float> a = ramp(0.1F), b = ramp(0.3F);
  const std::span<const float> parts[] = {a, b};
  double wanted = 0;
  for (const auto& part : parts)
    for (const float x : part) wanted += static_cast<double>(x) * x;
  std::vector<double> partial;
  const double one = norm(Compute(1), parts, partial);
  EXPECT_NEAR(one, std::sqrt(wanted), 1e-12 * std::sqrt(wanted));
  EXPECT_EQ(norm(Compute(4), parts, partial), one);
}

}  // namespace
}  // namespace resflow
