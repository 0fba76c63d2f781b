#include "apps/folds.h"

#include <algorithm>

#include "io/error.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

// The fold of each picture.
std::vector<int> deal(const Dataset& dataset, int folds, uint64_t seed) {
  const std::vector<int64_t> order = epoch_order(static_cast<int64_t>(dataset.samples.size()), seed, 0);
  std::vector<std::vector<size_t>> by_class(dataset.classes.size());
  for (const int64_t sample : order) {
    const auto index = static_cast<size_t>(sample);
    by_class[static_cast<size_t>(dataset.samples[index].label)].push_back(index);
  }
  std::vector<int> fold_of(dataset.samples.size());
  int next = 0;
  for (size_t label = 0; label < by_class.size(); ++label) {
    if (by_class[label].size() < static_cast<size_t>(folds))
      throw usage_error("--folds {}: {} has {} pictures, fewer than one a fold: give --folds {} or less", folds,
                        dataset.classes[label], by_class[label].size(), by_class[label].size());
    for (const size_t index : by_class[label]) {
      fold_of[index] = next;
      next = (next + 1) % folds;
    }
  }
  return fold_of;
}

}  // namespace

std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed) {
  if (folds < 2) throw usage_error("--folds is {}: wanted at least 2", folds);
  const std::vector<int> fold_of = deal(all.train, folds, seed);
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
