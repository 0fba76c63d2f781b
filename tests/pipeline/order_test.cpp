#include "pipeline/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "io/core/error.h"

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

TEST(WeightedOrder, DrawsASampleAsOftenAsItsWeightSays) {
  const std::vector<double> weights = {0, 1, 0.5, 0, 3, 2.5, 0};
  constexpr int kEpochs = 10'000;
  std::vector<int> counts(weights.size());
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch)
    for (const int64_t sample : weighted_order(weights, 3, epoch)) ++counts.at(static_cast<size_t>(sample));
  const double draws = static_cast<double>(kEpochs) * static_cast<double>(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const double p = weights[i] / 7;
    EXPECT_NEAR(counts[i], draws * p, 5 * std::sqrt(draws * p * (1 - p))) << i;  // five standard deviations
  }
}

// With replacement: one sample says nothing about the next.
TEST(WeightedOrder, EveryPairIsAsLikely) {
  constexpr int kCount = 18'000;
  std::vector<int> counts(9);
  for (uint64_t epoch = 0; epoch < kCount; ++epoch) {
    const auto order = weighted_order(std::vector<double>(3, 0.1), 9, epoch);
    ++counts[static_cast<size_t>(order[0] * 3 + order[1])];
  }
  for (const int count : counts) EXPECT_NEAR(count, kCount / 9, 5 * 42.2);  // five standard deviations
}

TEST(WeightedOrder, DependsOnSeedAndEpochOnly) {
  const std::vector<double> weights(500, 1);
  EXPECT_EQ(weighted_order(weights, 1, 2), weighted_order(weights, 1, 2));
  EXPECT_NE(weighted_order(weights, 1, 2), weighted_order(weights, 1, 3));
  EXPECT_NE(weighted_order(weights, 1, 2), weighted_order(weights, 2, 2));
  EXPECT_TRUE(weighted_order({}, 1, 2).empty());
}

// A resumed run must visit what an older build visited.
TEST(WeightedOrder, StaysWhatItWas) {
  EXPECT_EQ(weighted_order(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, 42, 0),
            (std::vector<int64_t>{4, 7, 0, 4, 7, 3, 3, 1}));
}

TEST(WeightedOrder, RefusesWeightsThatCannotBe) {
  constexpr double kHuge = std::numeric_limits<double>::max();
  EXPECT_NO_THROW(check_weights(std::vector<double>{0, 1e-300, 3}, 3));
  EXPECT_NO_THROW(check_weights({}, 0));
  for (const std::vector<double>& weights :
       {std::vector<double>{1, 1}, {1, -1, 1}, {1, NAN, 1}, {1, INFINITY, 1}, {0, 0, 0}, {kHuge, kHuge, 1}})
    EXPECT_THROW(check_weights(weights, 3), Error);
}

TEST(BalancedWeights, GiveEachClassTheSameSum) {
  Dataset dataset;
  dataset.classes = {"few", "none", "many"};
  for (const int label : {2, 0, 2, 2, 0, 2}) dataset.samples.push_back({"", label});
  EXPECT_EQ(balanced_weights(dataset), (std::vector<double>{0.25, 0.5, 0.25, 0.25, 0.5, 0.25}));
}

}  // namespace
}  // namespace resflow
