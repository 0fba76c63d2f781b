#include "apps/data/stats.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "apps/data/damaged_packs.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/same_content.h"
#include "apps/data/unread_folders.h"
#include "io/core/broken_reason.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/files/sha256.h"
#include "io/images/decode.h"
#include "io/images/image_format.h"
#include "io/images/jpeg.h"
#include "io/images/jpeg_facts.h"
#include "io/images/memory_share.h"
#include "io/pack/reader.h"
#include "pipeline/in_order.h"
#include "pipeline/pixels/crop.h"
#include "pipeline/pixels/resize.h"

namespace resflow {
namespace {

// What is learned of one picture.
struct Seen {
  int64_t bytes = 0;
  std::optional<Sha256::Digest> digest;  // absent where the file cannot be read at all
  const ImageFormat* format = nullptr;
  std::optional<JpegFacts> jpeg;
  int width = 0, height = 0;
  PixelSums pixels;
  std::string error;    // empty where the picture is whole
  bool unread = false;  // its file could not be opened or read
  bool truncated = false;
  int64_t grey16_pixels = 0, clipped_pixels = 0;
};

// What a thread needs to look at pictures. Each thread has its own.
struct Reader {
  Decoder decoder;
  Resizer resizer;
  Image decoded;
  std::vector<uint8_t> bytes, cropped;

  Seen look(const Sample& sample, const DataStatsOptions& options, const StopAsked& stop) {
    Seen seen;
    try {
      with_memory(
          stop, [this] { give_back(); },
          [&] {
            seen = {};
            look_within(sample, options, stop, seen);
          });
    } catch (const std::exception&) {
      PictureFailure failure = picture_failure(std::current_exception(), sample.path);
      seen.error = std::move(failure.reason);
      seen.unread = failure.unread;
    }
    give_back();
    return seen;
  }

  void look_within(const Sample& sample, const DataStatsOptions& options, const StopAsked& stop, Seen& seen) {
    MemoryShare file_share;
    const std::span<const uint8_t> content = read_sample(
        sample, bytes,
        {.max_pixels = options.accept.max_pixels, .before_large = [&] { file_share.take(MemoryShare::kAll, stop); }});
    seen.bytes = static_cast<int64_t>(content.size());
    Sha256 hash;
    hash.add(content.data(), content.size());
    seen.digest = hash.digest();
    seen.format = image_format(content);
    if (is_jpeg(content)) seen.jpeg = jpeg_facts(content);
    decoder.set_acceptance(options.accept);
    decoder.set_stop(stop);
    decoder.open(content, sample.path);
    const MemoryShare share(decoder.decoding_bytes(), stop);
    add_pixels(options, seen.pixels);
    seen.width = decoder.width();
    seen.height = decoder.height();
    seen.truncated = decoder.was_truncated();
    seen.grey16_pixels = decoder.grey16_pixels();
    seen.clipped_pixels = decoder.clipped_pixels();
    give_back();
  }

  void give_back() {
    decoder.give_back();
    resizer.give_back();
    decoded.give_back();
    give_back_large(bytes);
  }

  void add_pixels(const DataStatsOptions& options, PixelSums& sums) {
    const ResizeCrop crop = resize_center_crop(decoder.width(), decoder.height(), options.resize, options.crop);
    const Rect source = resizer.plan(decoder.width(), decoder.height(), crop.width, crop.height, crop.keep);
    decoder.decode(source, decoded);
    const size_t side = static_cast<size_t>(options.crop), stride = side * 3;
    cropped.assign(side * stride, 0);  // what lies outside of the picture is black, as in torchvision
    resizer.run(decoded, cropped.data() + static_cast<size_t>(crop.top) * stride + static_cast<size_t>(crop.left) * 3,
                stride);
    sums.add(cropped.data(), side * side);
  }
};

// Files below the class folders, and beside them, that ImageFolder passes over.
std::map<std::string, int64_t> ignored_files(const Dataset& dataset) {
  std::map<std::string, int64_t> ignored;
  for (const auto& [ending, of_it] : dataset.left_out.endings) ignored[ending] = of_it.files;
  const auto add = [&](const std::string& name, int64_t files) {
    if (files > 0) ignored[name] += files;
  };
  add("", dataset.left_out.hidden);
  add("others", dataset.left_out.other_endings);
  add("beside the class folders", dataset.beside);
  return ignored;
}

PartStats list_part(const DataPart& part, const Selection& selection, Listener& listener) {
  PartStats stats;
  stats.part = part;
  stats.dataset = list_image_folder(part.root, selection);
  warn_of_strays(stats.dataset, part.root, listener);
  warn_of_damaged_packs(stats.dataset.samples, listener);
  warn_of_unread_folders(stats.dataset, listener);
  stats.pictures_of_class = class_sizes(stats.dataset);
  stats.broken_of_class.resize(stats.dataset.classes.size());
  stats.ignored = ignored_files(stats.dataset);
  return stats;
}

void compare_classes(const Dataset& train, PartStats& other) {
  const auto& ours = other.dataset.classes;
  std::set_difference(train.classes.begin(), train.classes.end(), ours.begin(), ours.end(),
                      std::back_inserter(other.missing_classes));
  std::set_difference(ours.begin(), ours.end(), train.classes.begin(), train.classes.end(),
                      std::back_inserter(other.unknown_classes));
}

void add_jpeg(const JpegFacts& jpeg, PartStats& part) {
  part.jpeg_progressive += jpeg.progressive ? 1 : 0;
  part.jpeg_grey += jpeg.components == 1 ? 1 : 0;
  part.jpeg_cmyk += jpeg.components == 4 ? 1 : 0;
  if (jpeg.components == 3) ++part.jpeg_sampling[jpeg.sampling];
}

void add_seen(const Seen& seen, size_t index, PartStats& part) {
  const Sample& sample = part.dataset.samples[index];
  part.bytes += seen.bytes;
  if (seen.digest) {
    ++part.formats[seen.format == nullptr ? "unknown" : std::string(seen.format->name)];
    if (seen.jpeg) add_jpeg(*seen.jpeg, part);
    // A picture that was shrunk for a pack is a JPEG under the name of its original.
    const bool renamed = sample.pack && sample.pack->info().short_side > 0;
    if (!renamed && seen.format != nullptr && seen.format != image_format_of_name(sample.path))
      part.misnamed.emplace_back(index, seen.format);
  }
  if (!seen.error.empty()) {
    part.broken.push_back({index, seen.error});
    ++part.broken_of_class[static_cast<size_t>(sample.label)];
    return;
  }
  ++part.read;
  part.truncated += seen.truncated ? 1 : 0;
  part.grey16 += seen.grey16_pixels > 0 ? 1 : 0;
  part.grey16_pixels += seen.grey16_pixels;
  part.clipped_pixels += seen.clipped_pixels;
  part.pixels.add(seen.pixels);
  part.pictures.add(seen.pixels);
  ++part.sizes.count_of[{seen.width, seen.height}];
}

// `digests` are of files in `files`. There is none of an empty file: those are broken, not copies of each other.
void find_same(const std::vector<SameContent::File>& files, const std::vector<FileDigest>& digests, DataStats& stats) {
  for (const std::vector<size_t>& group : group_same(digests)) {
    SameContent same;
    std::set<std::string> classes;
    std::set<size_t> parts;
    for (const size_t i : group) {
      const SameContent::File file = files[i];
      const Dataset& dataset = stats.parts[file.part].dataset;
      same.files.push_back(file);
      parts.insert(file.part);
      classes.insert(dataset.classes[static_cast<size_t>(dataset.samples[file.sample].label)]);
    }
    same.across_classes = classes.size() > 1;
    same.across_parts = parts.size() > 1;
    if (parts.contains(0))
      stats.leaked += std::count_if(same.files.begin(), same.files.end(), [](const auto& f) { return f.part > 0; });
    stats.same.push_back(std::move(same));
  }
}

// `count_of` says of each value how often it occurs.
SizeStats::Range range_of(const std::map<int, int64_t>& count_of) {
  int64_t total = 0;
  for (const auto& [value, count] : count_of) total += count;
  const auto at = [&](int64_t position) {
    for (const auto& [value, count] : count_of) {
      if (position < count) return value;
      position -= count;
    }
    throw internal_error("no value at a position of a median");
  };
  return {.min = count_of.begin()->first,
          .max = count_of.rbegin()->first,
          .median = (at((total - 1) / 2) + at(total / 2)) / 2.0};
}

template <class Holds>
int64_t count_sizes(const SizeStats& sizes, const Holds& holds) {
  int64_t found = 0;
  for (const auto& [size, count] : sizes.count_of)
    if (holds(size.first, size.second)) found += count;
  return found;
}

}  // namespace

void PixelSums::add(const uint8_t* rgb, size_t pixels) {
  for (size_t i = 0; i < pixels; ++i)
    for (size_t c = 0; c < 3; ++c) {
      const uint64_t value = rgb[3 * i + c];
      sum_[c] += value;
      squares_[c] += value * value;
    }
  pixels_ += pixels;
}

void PixelSums::add(const PixelSums& other) {
  for (size_t c = 0; c < 3; ++c) {
    sum_[c] += other.sum_[c];
    squares_[c] += other.squares_[c];
  }
  pixels_ += other.pixels_;
}

std::array<double, 3> PixelSums::mean() const {
  std::array<double, 3> mean{};
  for (size_t c = 0; c < 3; ++c) mean[c] = static_cast<double>(sum_[c]) / static_cast<double>(pixels_) / 255;
  return mean;
}

std::array<double, 3> PixelSums::std() const {
  std::array<double, 3> std{};
  for (size_t c = 0; c < 3; ++c) {
    const auto n = static_cast<long double>(pixels_);
    const long double mean = static_cast<long double>(sum_[c]) / n;
    const long double variance = static_cast<long double>(squares_[c]) / n - mean * mean;
    std[c] = std::sqrt(static_cast<double>(std::max(variance, 0.0L))) / 255;
  }
  return std;
}

void PictureSums::add(const PixelSums& picture) {
  const std::array<double, 3> mean = picture.mean(), std = picture.std();
  for (size_t c = 0; c < 3; ++c) {
    mean_[c] += mean[c];
    std_[c] += std[c];
  }
  ++pictures_;
}

std::array<double, 3> PictureSums::mean() const {
  std::array<double, 3> mean = mean_;
  for (double& value : mean) value /= static_cast<double>(pictures_);
  return mean;
}

std::array<double, 3> PictureSums::std() const {
  std::array<double, 3> std = std_;
  for (double& value : std) value /= static_cast<double>(pictures_);
  return std;
}

SizeStats::Range SizeStats::widths() const {
  std::map<int, int64_t> all;
  for (const auto& [size, count] : count_of) all[size.first] += count;
  return range_of(all);
}

SizeStats::Range SizeStats::heights() const {
  std::map<int, int64_t> all;
  for (const auto& [size, count] : count_of) all[size.second] += count;
  return range_of(all);
}

std::vector<std::pair<std::pair<int, int>, int64_t>> SizeStats::most_common(size_t limit) const {
  std::vector<std::pair<std::pair<int, int>, int64_t>> sizes(count_of.begin(), count_of.end());
  std::stable_sort(sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  sizes.resize(std::min(limit, sizes.size()));
  return sizes;
}

int64_t SizeStats::landscape() const {
  return count_sizes(*this, [](int w, int h) { return w > h; });
}
int64_t SizeStats::portrait() const {
  return count_sizes(*this, [](int w, int h) { return w < h; });
}
int64_t SizeStats::square() const {
  return count_sizes(*this, [](int w, int h) { return w == h; });
}
int64_t SizeStats::below(int short_side) const {
  return count_sizes(*this, [&](int w, int h) { return std::min(w, h) < short_side; });
}

DataStats gather_data_stats(const std::vector<DataPart>& parts, const DataStatsOptions& options, Listener& listener) {
  const Stopwatch watch;
  DataStats stats;
  std::set<size_t> used;
  for (const DataPart& part : parts) {
    stats.parts.push_back(list_part(part, options.selection, listener));
    const std::set<size_t>& here = stats.parts.back().dataset.left_out.patterns;
    used.insert(here.begin(), here.end());
  }
  note_idle_patterns(options.selection, used, listener);
  for (size_t p = 1; p < stats.parts.size(); ++p) compare_classes(stats.parts[0].dataset, stats.parts[p]);

  std::vector<SameContent::File> files;
  for (size_t p = 0; p < stats.parts.size(); ++p)
    for (size_t i = 0; i < stats.parts[p].dataset.samples.size(); ++i) files.push_back({p, i});
  std::vector<FileDigest> digests;
  const auto total = static_cast<int64_t>(files.size());
  UnreadFiles unread(options.outage);
  Progress progress(listener, {.label = "reading", .total = total});
  const StopAsked stop = [&listener] { return listener.stop(); };
  try {
    for_each_in_order<Reader, Seen>(
        total, options.threads,
        [&](Reader& reader, int64_t number) {
          const auto [part, sample] = files[static_cast<size_t>(number)];
          return reader.look(stats.parts[part].dataset.samples[sample], options, stop);
        },
        [&](int64_t number, const Seen& seen) {
          const SameContent::File file = files[static_cast<size_t>(number)];
          if (seen.unread)
            unread.unread(stats.parts[file.part].dataset.samples[file.sample].path, seen.error);
          else
            unread.read();
          add_seen(seen, file.sample, stats.parts[file.part]);
          if (seen.digest && seen.bytes > 0) digests.push_back({*seen.digest, static_cast<size_t>(number)});
          stats.looked_at = number + 1;
          progress.update(stats.looked_at);
          stats.stopped = listener.stop();
          return !stats.stopped;
        });
  } catch (const DecodingStopped&) {
    stats.stopped = true;
  }
  if (!stats.stopped) find_same(files, digests, stats);
  stats.seconds = watch.seconds();
  return stats;
}

}  // namespace resflow
