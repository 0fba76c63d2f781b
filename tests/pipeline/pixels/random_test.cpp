#include "pipeline/pixels/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

namespace resflow {
namespace {

using Block = std::array<uint32_t, 4>;

// Known answers of the authors' Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesRandom123sKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Draw, EveryPartOfTheKeyChangesTheStream) {
  const auto first = [](uint64_t seed, uint64_t epoch, uint64_t sample, DrawFor what) {
    Draw draw(seed, epoch, sample, what);
    const uint64_t high = draw.next();
    return high << 32 | draw.next();
  };
  std::set<uint64_t> seen;
  for (const uint64_t bit : {0, 1, 2, 31, 32, 39})
    for (int part = 0; part < 3; ++part)
      seen.insert(first(part == 0 ? uint64_t{1} << bit : 0, part == 1 ? uint64_t{1} << bit : 0,
                        part == 2 ? uint64_t{1} << bit : 0, DrawFor::kOrder));
  const std::set<DrawFor> all = {
      DrawFor::kOrder,       DrawFor::kRandomResizedCrop, DrawFor::kHorizontalFlip, DrawFor::kColorJitter,
      DrawFor::kAutoAugment, DrawFor::kRandomErasing,     DrawFor::kWeightedOrder,  DrawFor::kMix};
  for (const DrawFor what : all) seen.insert(first(0, 0, 0, what));
  EXPECT_EQ(all.size(), 8U);
  EXPECT_EQ(seen.size(), 6U * 3 + all.size());
}

// A resumed run must draw what an older build drew.
TEST(Draw, StreamIsTheBlocksOfItsKey) {
  Draw draw(0x1122334455667788, 3, 5, DrawFor::kHorizontalFlip);
  for (uint32_t block = 0; block < 3; ++block)
    for (const uint32_t word : philox4x32({block, 5, 3, 2U << 24}, {0x55667788, 0x11223344}))
      EXPECT_EQ(draw.next(), word);
}

TEST(Draw, UniformHasTheMeanAndVarianceOfUniformNumbers) {
  constexpr int kCount = 200'000;
  Draw draw(7, 0, 0, DrawFor::kRandomResizedCrop);
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double value = draw.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    squares += value * value;
  }
  // Five standard errors of the mean (0.289 / sqrt(n)) and of the second moment (0.298 / sqrt(n)).
  EXPECT_NEAR(sum / kCount, 1.0 / 2, 5 * 0.289 / 447);
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 5 * 0.298 / 447);
}

TEST(Draw, UniformNeverReachesItsHighEnd) {
  // One unit in the last place wide: adding must round up to the end half of the time.
  const double low = 1.0, high = std::nextafter(1.0, 2.0);
  Draw draw(1, 2, 3, DrawFor::kOrder);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(draw.uniform(low, high), low);
  EXPECT_EQ(draw.uniform(2.0, 2.0), 2.0);
}

TEST(Draw, IntegerIsInclusiveAndEven) {
  constexpr int kCount = 60'000;
  Draw draw(11, 0, 0, DrawFor::kOrder);
  std::vector<int> counts(6);
  for (int i = 0; i < kCount; ++i) {
    const int64_t value = draw.integer(-2, 3);
    ASSERT_GE(value, -2);
    ASSERT_LE(value, 3);
    ++counts[static_cast<size_t>(value + 2)];
  }
  // Five standard deviations of a binomial count with p = 1/6.
  for (const int count : counts) EXPECT_NEAR(count, kCount / 6, 5 * 91.3);
  EXPECT_EQ(draw.integer(4, 4), 4);
  constexpr int64_t kLow = std::numeric_limits<int64_t>::min(), kHigh = std::numeric_limits<int64_t>::max();
  EXPECT_NE(draw.integer(kLow, kHigh), draw.integer(kLow, kHigh));
}

}  // namespace
}  // namespace resflow
