#include "apps/data/folds.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

TEST(Folds, AreStratifiedWholeAndDisjoint) {
  TrainingData all;
  all.train_root = "/data";
  all.train.classes = {"a", "b", "c"};
  for (int label = 0; label < 3; ++label)
    for (int i = 0; i < 7 + 10 * label; ++i)
      all.train.samples.push_back(
          {fmt::format("/data/{}/{}.jpg", all.train.classes[static_cast<size_t>(label)], i), label});
  const std::vector<TrainingData> folds = make_folds(all, 4, 3);
  ASSERT_EQ(folds.size(), 4U);
  std::vector<std::string> validated;
  for (const TrainingData& fold : folds) {
    EXPECT_EQ(fold.train.samples.size() + fold.val.samples.size(), 51U);
    EXPECT_GE(fold.val.samples.size(), 12U);
    EXPECT_LE(fold.val.samples.size(), 13U);
    std::vector<int> counts(3);
    for (const Sample& s : fold.val.samples) {
      ++counts[static_cast<size_t>(s.label)];
      validated.push_back(s.path);
    }
    for (size_t label = 0; label < 3; ++label)
      EXPECT_NEAR(counts[label], (7 + 10 * static_cast<double>(label)) / 4, 1) << label;
  }
  std::sort(validated.begin(), validated.end());
  EXPECT_EQ(std::unique(validated.begin(), validated.end()), validated.end());
  EXPECT_EQ(validated.size(), 51U);
  EXPECT_EQ(make_folds(all, 4, 3)[1].val_identity, folds[1].val_identity);
  EXPECT_NE(make_folds(all, 4, 4)[1].val_identity, folds[1].val_identity);
  expect_error(ErrorKind::kUsage, {"folds 8: a has 7 pictures", "give folds 7 or less"},
               [&] { make_folds(all, 8, 3); });
  expect_error(ErrorKind::kUsage, {"folds is 1: wanted at least 2"}, [&] { make_folds(all, 1, 3); });
}

}  // namespace
}  // namespace resflow::testing
