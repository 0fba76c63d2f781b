#include "apps/data/folds.h"

#include <algorithm>
#include <utility>

#include "io/core/error.h"
#include "pipeline/stratified_folds.h"

namespace resflow {
namespace {

void check_folds(const Dataset& dataset, int folds) {
  if (folds < 2) throw usage_error("{} is {}: wanted at least 2", setting("folds"), folds);
  const std::vector<int64_t> counts = class_sizes(dataset);
  const auto least = std::min_element(counts.begin(), counts.end());
  if (*least < folds)
    throw usage_error("{} {}: {} has {} pictures, fewer than one a fold: give {} {} or less", setting("folds"), folds,
                      dataset.classes[static_cast<size_t>(least - counts.begin())], *least, setting("folds"), *least);
}

}  // namespace

std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed) {
  check_folds(all.train, folds);
  const std::vector<int> fold_of = stratified_folds(labels_of(all.train), folds, seed);
  std::vector<TrainingData> result;
  for (int fold = 0; fold < folds; ++fold) {
    TrainingData data;
    data.train_root = data.val_root = all.train_root;
    data.train.classes = data.val.classes = all.train.classes;
    for (size_t i = 0; i < fold_of.size(); ++i)
      (fold_of[i] == fold ? data.val : data.train).samples.push_back(all.train.samples[i]);
    data.identity = dataset_identity(data.train, data.train_root);
    data.val_identity = dataset_identity(data.val, data.val_root);
    result.push_back(std::move(data));
  }
  return result;
}

}  // namespace resflow
