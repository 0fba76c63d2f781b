#include "apps/train/feature_extraction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "io/files/path_facts.h"
#include "io/files/sha256.h"
#include "io/files/xxh3.h"
#include "io/pack/reader.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

// Pictures that the network takes at once. It is not the run's `batch`, which is the head's: features must not depend
// on that.
constexpr int kBatch = 32;

void add(Sha256& hash, const std::string& text) { hash.add(text.c_str(), text.size() + 1); }  // with its final zero

std::string backbone_hash(const Model& model) {
  Sha256 hash;
  const ModelDescription& d = model.description();
  add(hash, fmt::format("{} {} {} {}", d.architecture, d.groups, d.width_per_group,
                        fmt::join(d.replace_stride_with_dilation, " ")));
  // What else there is leaves the hashes of before as they were where it is as it was then.
  if (const std::string text = to_text(d); text != d.architecture) add(hash, text);
  for (const auto& parameter : model.parameters()) {
    if (parameter->is_count || parameter->name.starts_with("fc.")) continue;
    const Array value = parameter->value.export_to_array(model.compute());
    add(hash, parameter->name);
    hash.add(value.raw(), value.bytes());
  }
  return hash.hex();
}

// Every field of it: features of another recipe are other features.
std::string recipe_text(const Recipe& r) {
  static_assert(sizeof(Recipe) == 168, "a new field of Recipe belongs into this text");
  std::string text = fmt::format("{} {} {} | {} | {}", r.kind == Recipe::Kind::kTrain ? "train" : "eval", r.size,
                                 r.resize, fmt::join(r.mean, " "), fmt::join(r.std, " "));
  if (r.interpolation == Interpolation::kBicubic) text += " | bicubic";
  if (r.kind == Recipe::Kind::kTrain)
    text += fmt::format(" | {} | {} | {}", fmt::join(r.scale, " "), fmt::join(r.ratio, " "), r.flip_probability);
  if (r.kind == Recipe::Kind::kTrain)
    text += fmt::format(" | {} {} {} | {} {} {} {} | {} {} {}", static_cast<int>(r.auto_augment), r.randaugment_ops,
                        r.randaugment_magnitude, r.color_jitter.brightness, r.color_jitter.contrast,
                        r.color_jitter.saturation, r.color_jitter.hue, r.erase_probability,
                        fmt::join(r.erase_scale, " "), fmt::join(r.erase_ratio, " "));
  return text;
}

// Names, sizes and times, of packed pictures their checksums: one that is replaced by another is seen without reading
// it.
void add_pictures(Sha256& hash, const Dataset& dataset, const std::string& root) {
  for (const Sample& sample : dataset.samples) {
    add(hash, path_below(root, sample.path));
    if (sample.pack) {
      add(hash,
          fmt::format("packed {} {}", sample.pack->bytes(sample.packed), hex(sample.pack->checksum(sample.packed))));
      continue;
    }
    std::error_code error;
    const auto size = fs::file_size(sample.path, error);
    const auto time = fs::last_write_time(sample.path, error);
    add(hash, error ? "absent" : fmt::format("{} {}", size, time.time_since_epoch().count()));
  }
}

}  // namespace

FeatureExtractor::FeatureExtractor(Model& model, const FeatureFolder& folder, int threads, OnError on_error,
                                   Listener& listener, const ReadingOptions& reading)
    : model_(model),
      folder_(folder),
      threads_(threads),
      on_error_(on_error),
      listener_(listener),
      reading_(reading),
      backbone_(backbone_hash(model)) {
  make_folders(folder_.path, fmt::format("{} {}", setting("feature_cache"), folder_.path));
}

FeatureExtractor::~FeatureExtractor() = default;

std::string FeatureExtractor::key(const FeatureSource& source) const {
  Sha256 hash;
  add(hash, "resflow features 1");
  add(hash, backbone_);
  add(hash, recipe_text(source.recipe));
  if (source.recipe.kind == Recipe::Kind::kTrain) add(hash, fmt::format("{} {}", source.seed, source.epoch));
  if (source.exif) add(hash, "exif");
  if (source.decode == DecodeMode::kFast) add(hash, "decode fast");
  if (source.accept.truncated) add(hash, "truncated");
  if (source.accept.scale_grey16) add(hash, "grey16 scale");
  if (source.accept.max_pixels != kMaxPixels) add(hash, fmt::format("max pixels {}", source.accept.max_pixels));
  add_pictures(hash, *source.dataset, source.root);
  return hash.hex();
}

FeatureCache FeatureExtractor::open_cache(const FeatureSource& source) const {
  const std::string key = this->key(source);
  const std::string name = folder_.shared ? key.substr(0, 16) : source.name;
  return FeatureCache(
      (fs::path(folder_.path) / (name + ".features")).string(),
      {.key = key, .rows = static_cast<int64_t>(source.dataset->samples.size()), .columns = model_.feature_count()});
}

bool FeatureExtractor::extract(const FeatureSource& source, const TakeBroken& left_out) {
  FeatureCache cache = open_cache(source);
  if (!cache.discarded().empty())
    listener_.warn(
        fmt::format("{}: {}: {}", cache.path(), cache.discarded(),
                    cache.done() == 0 ? "made anew" : fmt::format("what follows row {} is made anew", cache.done())));
  if (!cache.locked() && cache.kept())
    listener_.note(fmt::format("{}: its file system has no locks: see to it that no other run makes these features",
                               cache.path()));
  if (!cache.kept())
    listener_.warn(fmt::format("{}: may not be written: what is missing in it is computed, and kept in memory alone",
                               cache.path()));
  const int64_t rows = static_cast<int64_t>(source.dataset->samples.size()), cached = cache.done();
  const Stopwatch watch;
  truncated_ = 0;
  const bool finished = cache.complete() || compute(source, cache, left_out);
  const double seconds = watch.seconds();
  std::string how = cached == 0 ? "" : cached == rows ? " from" : fmt::format(" ({} of them from before) in", cached);
  if (how.empty()) how = cache.kept() ? " into" : " without";
  listener_.say(fmt::format(
      "features   {}: {}{} {}{}", source.name, plural(cache.done(), "picture", "pictures"), how, cache.path(),
      cache.done() == cached
          ? ""
          : fmt::format(", {:.1f} s, {:.1f} img/s", seconds, static_cast<double>(cache.done() - cached) / seconds)));
  broken_ = cache.broken();
  if (on_error_ == OnError::kStop && !broken_.empty())
    throw data_error("{}: {}", source.dataset->samples[static_cast<size_t>(broken_.front().row)].path,
                     broken_.front().reason);
  if (finished) values_ = cache.take_values();
  return finished;
}

bool FeatureExtractor::compute(const FeatureSource& source, FeatureCache& cache, const TakeBroken& left_out) {
  const int size = source.recipe.size;
  if (!plan_ || plan_size_ != size) {
    plan_ = nullptr;  // its memory first
    plan_ = std::make_unique<Plan>(
        model_, PlanOptions{.batch = kBatch, .height = size, .width = size, .output = Output::kFeatures});
    plan_size_ = size;
  }
  Loader loader(*source.dataset, source.recipe,
                {.batch = kBatch,
                 .threads = threads_,
                 .seed = source.seed,
                 .shuffle = false,
                 .on_error = on_error_,
                 .exif = source.exif,
                 .decode = source.decode,
                 .accept = source.accept,
                 .reading = reading_});
  const int64_t rows = static_cast<int64_t>(source.dataset->samples.size());
  const auto columns = static_cast<size_t>(model_.feature_count());
  Progress progress(listener_,
                    {.label = fmt::format("features of {}", source.name), .total = rows, .first = cache.done()});
  std::vector<float> block;
  const auto take = [&](const Batch& batch) {
    const int64_t begin = batch.number * kBatch, count = std::min<int64_t>(kBatch, rows - begin);
    block.assign(static_cast<size_t>(count) * columns, 0.0F);
    if (batch.size > 0) {
      const std::span<const float> features = plan_->forward(batch.pixels, batch.size);
      for (size_t i = 0; i < batch.samples.size(); ++i)
        std::copy_n(features.data() + i * columns, columns,
                    block.data() + static_cast<size_t>(batch.samples[i] - begin) * columns);
    }
    // A file of other blocks than ours may begin within this batch.
    const int64_t skip = cache.done() - begin;
    std::vector<BrokenRow> broken;
    for (const BrokenPicture& one : batch.broken)
      if (one.sample >= cache.done()) broken.push_back({one.sample, one.reason});
    if (left_out) left_out(batch.broken);
    cache.append(count - skip, std::span(block).subspan(static_cast<size_t>(skip) * columns), broken);
    progress.update(cache.done());
    return cache.complete() || !listener_.stop();
  };
  try {
    truncated_ = loader.run(source.epoch, cache.done() / kBatch, take).truncated;
  } catch (const Outage&) {
    cache.sync();
    throw;
  }
  if (cache.complete()) cache.sync();
  return cache.complete();
}

}  // namespace resflow
