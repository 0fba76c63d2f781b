#include "pipeline/stratified_folds.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

namespace resflow {
namespace {

TEST(Folds, AreLevelAndHaveAsManyOfEachClass) {
  std::vector<int32_t> labels(17, 0);
  labels.insert(labels.end(), 9, 1);
  labels.insert(labels.end(), 2, 2);
  const std::vector<int> folds = stratified_folds(labels, 5, 3);
  std::map<int, int64_t> sizes;
  std::map<std::pair<int32_t, int>, int64_t> of_class;
  for (size_t i = 0; i < labels.size(); ++i) {
    ++sizes[folds[i]];
    ++of_class[{labels[i], folds[i]}];
  }
  ASSERT_EQ(sizes.size(), 5U);
  for (const auto& [fold, size] : sizes) EXPECT_TRUE(size == 5 || size == 6) << fold;
  for (int fold = 0; fold < 5; ++fold) {
    EXPECT_TRUE((of_class[{0, fold}] == 3 || of_class[{0, fold}] == 4));
    EXPECT_TRUE((of_class[{1, fold}] == 1 || of_class[{1, fold}] == 2));
    EXPECT_TRUE((of_class[{2, fold}] == 0 || of_class[{2, fold}] == 1));
  }
  EXPECT_EQ(stratified_folds(labels, 5, 3), folds);
  EXPECT_NE(stratified_folds(labels, 5, 4), folds);
}

}  // namespace
}  // namespace resflow
