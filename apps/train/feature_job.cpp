#include "apps/train/feature_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/options/common.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"

namespace resflow {

void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to) {
  const auto columns = static_cast<size_t>(from.columns);
  to.resize(static_cast<size_t>(rows) * columns);
  for (int64_t i = 0; i < rows; ++i)
    std::copy_n(from.rows[static_cast<size_t>(first + i)], columns, to.data() + static_cast<size_t>(i) * columns);
}

FeatureJob::FeatureJob(TrainOptions options, TrainingData data)
    : OpenedRun(std::move(options), std::move(data), Batches::kAny) {}

void FeatureJob::print_setup() const {
  print_data();
  const auto copies = static_cast<double>(options_.augment_copies + 1);
  const double rows =
      copies * static_cast<double>(data_.train.samples.size()) + static_cast<double>(data_.val.samples.size());
  fmt::print("frozen     all but the head: {} features a picture, {}{} in memory and on the disk\n",
             model_->feature_count(), format_bytes(rows * static_cast<double>(model_->feature_count()) * sizeof(float)),
             options_.augment_copies > 0
                 ? fmt::format(" with {}", plural(options_.augment_copies, "augmented copy", "augmented copies"))
                 : "");
}

bool FeatureJob::extract() {
  const FeatureFolder where = {.path = options_.feature_cache.empty() ? folder_->path() : options_.feature_cache,
                               .shared = !options_.feature_cache.empty()};
  FeatureExtractor extractor(*model_, where, options_.threads, on_error());
  const Recipe eval = Recipe::eval(preprocessing_),
               augmented = train_recipe(options_.image_size, preprocessing_, options_.augment);
  FeatureSource source = {.name = "train",
                          .dataset = &data_.train,
                          .root = data_.train_root,
                          .recipe = eval,
                          .exif = options_.exif,
                          .decode = decode_mode(options_.decode)};
  if (!extract(extractor, source, data_.train, train_)) return false;
  train_.originals = static_cast<int64_t>(train_.rows.size());
  source.recipe = augmented;
  source.seed = options_.seed;
  for (int64_t copy = 0; copy < options_.augment_copies; ++copy) {
    source.name = fmt::format("train-copy-{}", copy + 1);
    source.epoch = static_cast<uint64_t>(copy);
    if (!extract(extractor, source, data_.train, train_)) return false;
  }
  if (!has_validation()) return true;
  source = {.name = "val",
            .dataset = &data_.val,
            .root = data_.val_root,
            .recipe = eval,
            .exif = options_.exif,
            .decode = decode_mode(options_.decode)};
  if (!extract(extractor, source, data_.val, val_)) return false;
  val_.originals = static_cast<int64_t>(val_.rows.size());
  return true;
}

bool FeatureJob::extract(FeatureExtractor& extractor, const FeatureSource& source, const Dataset& dataset,
                         FeatureRows& to) {
  if (!extractor.extract(source)) return false;
  to.columns = model_->feature_count();
  to.values.push_back(extractor.take_values());
  const float* row = to.values.back().values<float>().data();
  size_t next_broken = 0;
  const std::vector<BrokenRow>& broken = extractor.broken();
  for (size_t i = 0; i < dataset.samples.size(); ++i, row += to.columns) {
    const Sample& sample = dataset.samples[i];
    if (next_broken < broken.size() && broken[next_broken].row == static_cast<int64_t>(i)) {
      broken_.emplace(sample.path, broken[next_broken++].reason);
      continue;
    }
    to.rows.push_back(row);
    to.labels.push_back(sample.label);
    to.pictures.push_back(static_cast<int64_t>(i));
  }
  if (to.rows.empty()) {
    print_broken();
    throw data_error("{}: not one of its {} could be read; first reason: {}", source.root,
                     plural(static_cast<int64_t>(dataset.samples.size()), "picture", "pictures"),
                     broken.front().reason);
  }
  return true;
}

}  // namespace resflow
