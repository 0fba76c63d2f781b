#include "apps/data/normalization.h"

#include <cmath>
#include <vector>

#include "apps/data/stats.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

// The bytes of the pictures in a batch whose values are bytes / 255, with the three of a pixel side by side.
void add_batch(const Batch& batch, std::vector<uint8_t>& bytes, PixelSums& sums) {
  constexpr float kLargest = 255;
  const size_t plane = static_cast<size_t>(batch.image_size) * static_cast<size_t>(batch.image_size);
  bytes.resize(3 * plane);
  for (int row = 0; row < batch.size; ++row) {
    const float* values = batch.pixels + static_cast<size_t>(row) * 3 * plane;
    for (size_t channel = 0; channel < 3; ++channel)
      for (size_t i = 0; i < plane; ++i)
        bytes[3 * i + channel] = static_cast<uint8_t>(std::lround(values[channel * plane + i] * kLargest));
    sums.add(bytes.data(), plane);
  }
}

}  // namespace

std::optional<Normalization> measure_normalization(const Dataset& dataset, const std::string& root,
                                                   LoaderOptions options, Listener& listener) {
  const DataStatsOptions as_stats;
  Recipe recipe = Recipe::eval({.resize = as_stats.resize, .crop = as_stats.crop, .mean = {0, 0, 0}, .std = {1, 1, 1}});
  constexpr int kBatch = 16;
  options.batch = kBatch;
  options.shuffle = false;
  options.sampler = Sampler::kEvery;
  options.drop_last = false;
  Loader loader(dataset, recipe, options);
  const auto pictures = static_cast<int64_t>(dataset.samples.size());
  PixelSums sums;
  std::vector<uint8_t> bytes;
  int64_t seen = 0;
  std::string reason;
  Normalization found;
  {
    Progress progress(listener, {.label = "mean and deviation of the data", .total = pictures});
    const EpochReport report = loader.run(0, 0, [&](const Batch& batch) {
      add_batch(batch, bytes, sums);
      if (reason.empty() && !batch.broken.empty()) reason = batch.broken.front().reason;
      found.pictures += batch.size;
      seen += batch.size + static_cast<int64_t>(batch.broken.size());
      progress.update(seen);
      return !listener.stop();
    });
    if (report.stopped) return std::nullopt;
  }
  if (found.pictures == 0)
    throw data_error("{}: not one of its {} could be read, so they have no mean and deviation; first reason: {}", root,
                     plural(pictures, "picture", "pictures"), reason);
  found.mean = sums.mean();
  found.std = sums.std();
  for (const double deviation : found.std)
    if (!(deviation > 0))
      throw data_error(
          "{}: a channel has the same value in all pixels of its {}: its deviation is 0, by which nothing "
          "can be divided",
          root, plural(found.pictures, "picture", "pictures"));
  return found;
}

}  // namespace resflow
