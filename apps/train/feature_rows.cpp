#include "apps/train/feature_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "apps/train/feature_extraction.h"
#include "apps/train/lines.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"

namespace resflow {
namespace {

// Adds the rows of `source`, and to `count` the pictures that have none. False where the listener asked to stop.
bool add_rows(Run& run, FeatureExtractor& extractor, const FeatureSource& source, FeatureRows& to, LeftOut& count) {
  LeftOut met;
  if (!extractor.extract(
          source, [&](std::span<const BrokenPicture> broken) { note_broken(run, *source.dataset, broken, met); }))
    return false;
  count.unreadable += met.unreadable;
  count.broken += std::ssize(extractor.broken()) - met.unreadable;
  to.columns = run.model->feature_count();
  run.truncated = std::max(run.truncated, extractor.truncated());
  to.values.push_back(extractor.take_values());
  const float* row = to.values.back().values<float>().data();
  const std::vector<Sample>& samples = source.dataset->samples;
  size_t next_broken = 0;
  const std::vector<BrokenRow>& broken = extractor.broken();
  for (size_t i = 0; i < samples.size(); ++i, row += to.columns) {
    if (next_broken < broken.size() && broken[next_broken].row == static_cast<int64_t>(i)) {
      run.broken.emplace(samples[i].path, broken[next_broken++].reason);
      continue;
    }
    to.rows.push_back(row);
    to.labels.push_back(samples[i].label);
    to.pictures.push_back(static_cast<int64_t>(i));
  }
  if (to.rows.empty()) {
    say(*run.listener, broken_lines(run));
    throw data_error("{}: not one of its {} could be read; first reason: {}", source.root,
                     plural(samples.size(), "picture", "pictures"), broken.front().reason);
  }
  return true;
}

}  // namespace

void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to) {
  const auto columns = static_cast<size_t>(from.columns);
  to.resize(static_cast<size_t>(rows) * columns);
  for (int64_t i = 0; i < rows; ++i)
    std::copy_n(from.rows[static_cast<size_t>(first + i)], columns, to.data() + static_cast<size_t>(i) * columns);
}

std::optional<RunFeatures> extract_features(Run& run) {
  const TrainOptions& o = run.options;
  const TrainingData& data = *run.data;
  const FeatureFolder where = {.path = o.feature_cache.empty() ? run.folder.path() : o.feature_cache,
                               .shared = !o.feature_cache.empty()};
  FeatureExtractor extractor(*run.model, where, o.threads, on_error(run), *run.listener, reading_options(run));
  RunFeatures features;
  const Recipe eval = Recipe::eval(run.preprocessing);
  FeatureSource source = {.name = "train",
                          .dataset = &data.train,
                          .root = data.train_root,
                          .recipe = eval,
                          .exif = o.exif,
                          .decode = decode_mode(o.decode),
                          .accept = acceptance(o.max_pixels, o.truncated, o.grey16)};
  if (!add_rows(run, extractor, source, features.train, features.left_out)) return std::nullopt;
  features.train.originals = static_cast<int64_t>(features.train.rows.size());
  source.recipe = train_recipe(o.image_size, run.preprocessing, o.augment);
  source.seed = o.seed;
  LeftOut of_copies;  // the same pictures once more
  for (int64_t copy = 0; copy < o.augment_copies; ++copy) {
    source.name = fmt::format("train-copy-{}", copy + 1);
    source.epoch = static_cast<uint64_t>(copy);
    if (!add_rows(run, extractor, source, features.train, of_copies)) return std::nullopt;
  }
  if (!has_validation(run)) return features;
  source = {.name = "val",
            .dataset = &data.val,
            .root = data.val_root,
            .recipe = eval,
            .exif = o.exif,
            .decode = decode_mode(o.decode),
            .accept = acceptance(o.max_pixels, o.truncated, o.grey16)};
  if (!add_rows(run, extractor, source, features.val, features.left_out)) return std::nullopt;
  features.val.originals = static_cast<int64_t>(features.val.rows.size());
  return features;
}

}  // namespace resflow
