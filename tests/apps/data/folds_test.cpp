#include "apps/data/folds.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "io/core/error.h"
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
  Folds folds(all, 4, 3);
  std::vector<std::string> validated;
  for (int i = 0; i < 4; ++i) {
    const TrainingData& fold = *folds.fold(i);
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
  const std::string identity = folds.fold(1)->val_identity;
  EXPECT_EQ(Folds(all, 4, 3).fold(1)->val_identity, identity);
  EXPECT_NE(Folds(all, 4, 4).fold(1)->val_identity, identity);
  expect_error(ErrorKind::kUsage, {"folds 8: a has 7 pictures"}, [&] { Folds(all, 8, 3); });
  expect_error(ErrorKind::kUsage, {"folds is 1: wanted at least 2"}, [&] { Folds(all, 1, 3); });
}

TEST(Folds, KeepTheOrderOfThePicturesInOneList) {
  TrainingData all;
  all.train.classes = {"a", "b"};
  for (int i = 0; i < 12; ++i) all.train.samples.push_back({fmt::format("{:02}.jpg", i), i % 2});
  Folds folds(all, 3, 1);
  for (const int i : {2, 0, 1, 1}) {
    const std::shared_ptr<const TrainingData> fold = folds.fold(i);
    EXPECT_EQ(fold->train.samples.size(), 8U);
    EXPECT_EQ(fold->val.samples.size(), 4U);
    for (const auto* part : {&fold->train.samples, &fold->val.samples})
      EXPECT_TRUE(
          std::is_sorted(part->begin(), part->end(), [](const Sample& a, const Sample& b) { return a.path < b.path; }));
    EXPECT_THROW(folds.fold(0), Error) << "its samples are in use";
  }
}

}  // namespace
}  // namespace resflow::testing
