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

Folds::Folds(TrainingData all, int folds, uint64_t seed) : data_(std::make_shared<TrainingData>(std::move(all))) {
  check_folds(data_->train, folds);
  fold_of_ = stratified_folds(labels_of(data_->train), folds, seed);
  data_->val_root = data_->train_root;
  data_->val = {.classes = data_->train.classes, .samples = {}};
  data_->train.empty_classes.clear();
}

std::shared_ptr<const TrainingData> Folds::fold(int fold) {
  if (data_.use_count() > 1) throw internal_error("fold {} is asked for while another one is in use", fold + 1);
  join();
  divide(fold);
  return data_;
}

void Folds::join() {
  if (divided_ < 0) return;
  std::vector<Sample> all;
  all.reserve(fold_of_.size());
  auto train = data_->train.samples.begin(), val = data_->val.samples.begin();
  for (const int fold : fold_of_) all.push_back(std::move(fold == divided_ ? *val++ : *train++));
  data_->train.samples = std::move(all);
  data_->val.samples.clear();
  divided_ = -1;
}

void Folds::divide(int fold) {
  std::vector<Sample> train, val;
  for (size_t i = 0; i < fold_of_.size(); ++i)
    (fold_of_[i] == fold ? val : train).push_back(std::move(data_->train.samples[i]));
  data_->train.samples = std::move(train);
  data_->val.samples = std::move(val);
  data_->identity = dataset_identity(data_->train, data_->train_root);
  data_->val_identity = dataset_identity(data_->val, data_->val_root);
  divided_ = fold;
}

}  // namespace resflow
