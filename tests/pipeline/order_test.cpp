#include "pipeline/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace resflow {
namespace {

TEST(EpochOrder, IsAPermutation) {
  for (const int64_t samples : {0, 1, 2, 3, 100, 5000}) {
    std::vector<int64_t> order = epoch_order(samples, 1, 2);
    std::vector<int64_t> all(static_cast<size_t>(samples));
    std::iota(all.begin(), all.end(), 0);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, all);
  }
}

TEST(EpochOrder, DependsOnSeedAndEpochOnly) {
  EXPECT_EQ(epoch_order(500, 1, 2), epoch_order(500, 1, 2));
  EXPECT_NE(epoch_order(500, 1, 2), epoch_order(500, 1, 3));
  EXPECT_NE(epoch_order(500, 1, 2), epoch_order(500, 2, 2));
}

// A resumed run must visit what an older build visited.
TEST(EpochOrder, StaysWhatItWas) { EXPECT_EQ(epoch_order(8, 42, 0), (std::vector<int64_t>{6, 7, 1, 3, 2, 5, 0, 4})); }

TEST(EpochOrder, EveryPermutationIsAsLikely) {
  std::vector<int> counts(27);
  constexpr int kCount = 12'000;
  for (int epoch = 0; epoch < kCount; ++epoch) {
    const auto order = epoch_order(3, 9, static_cast<uint64_t>(epoch));
    ++counts[static_cast<size_t>(order[0] * 9 + order[1] * 3 + order[2])];
  }
  // Five standard deviations of a binomial count with p = 1/6.
  for (const int index : {0 * 9 + 1 * 3 + 2, 0 * 9 + 2 * 3 + 1, 1 * 9 + 0 * 3 + 2, 1 * 9 + 2 * 3 + 0, 2 * 9 + 0 * 3 + 1,
                          2 * 9 + 1 * 3 + 0})
    EXPECT_NEAR(counts[static_cast<size_t>(index)], kCount / 6, 5 * 40.8);
}

}  // namespace
}  // namespace resflow
