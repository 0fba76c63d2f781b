#include "apps/data/packing.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "io/core/broken_reason.h"
#include "io/core/wording.h"
#include "io/images/exif_write.h"
#include "io/images/image_format.h"
#include "io/images/jpeg_encode.h"
#include "io/images/memory_share.h"
#include "pipeline/in_order.h"
#include "pipeline/pixels/crop.h"

namespace resflow {
namespace {

constexpr int kLongestJpeg = 65500;

}  // namespace

// Shrinks the opened picture into small_. Returns false where it stays as it is.
bool PicturePacker::shrink(int short_side) {
  const int width = decoder_.width(), height = decoder_.height();
  if (short_side == 0 || std::min(width, height) <= short_side) return false;
  const ResizeCrop size = resize_center_crop(width, height, short_side, short_side);
  if (std::max(size.width, size.height) > kLongestJpeg) return false;
  const Rect source = resizer_.plan(width, height, size.width, size.height, {0, 0, size.width, size.height});
  decoder_.decode(source, decoded_);
  small_.resize(size.width, size.height);
  resizer_.run(decoded_, small_.row(0), small_.row_bytes());
  return true;
}

void PicturePacker::give_back() {
  decoder_.give_back();
  resizer_.give_back();
  decoded_.give_back();
  small_.give_back();
  give_back_large(buffer_);
}

PackedPicture PicturePacker::pack(const Sample& sample, const PackingOptions& options, const StopAsked& stop) {
  PackedPicture packed;
  try {
    with_memory(
        stop, [this] { give_back(); },
        [&] {
          packed = {};
          pack_within(sample, options, stop, packed);
        });
  } catch (const std::exception&) {
    PictureFailure failure = picture_failure(std::current_exception(), sample.path);
    packed.error = std::move(failure.reason);
    packed.unread = failure.unread;
  }
  give_back();
  return packed;
}

void PicturePacker::pack_within(const Sample& sample, const PackingOptions& options, const StopAsked& stop,
                                PackedPicture& packed) {
  MemoryShare file_share;
  const std::span<const uint8_t> bytes = read_sample(
      sample, buffer_,
      {.max_pixels = options.accept.max_pixels, .before_large = [&] { file_share.take(MemoryShare::kAll, stop); }});
  packed.read = static_cast<int64_t>(bytes.size());
  decoder_.set_acceptance(options.accept);
  decoder_.set_stop(stop);
  decoder_.open(bytes, sample.path);
  const MemoryShare share(decoder_.decoding_bytes(), stop);
  packed.shrunk = shrink(options.short_side);
  if (!packed.shrunk) {
    // Decoding a single pixel is enough to know whether the whole file can be decoded.
    decoder_.decode({0, 0, 1, 1}, decoded_);
    packed.truncated = decoder_.was_truncated();
    packed.file.assign(bytes.begin(), bytes.end());
    return;
  }
  packed.truncated = decoder_.was_truncated();
  packed.file = encode_jpeg(small_, options.quality);
  const ImageFormat* format = decoder_.format();
  const Orientation orientation = read_orientation(bytes, format);
  if (!orientation.is_upright() && !format->always_upright) put_orientation(packed.file, orientation.exif());
  give_back();
}

Packing add_pictures(const Dataset& dataset, const std::string& root, const PackingOptions& options, PackWriter& writer,
                     Listener& listener) {
  const auto total = static_cast<int64_t>(dataset.samples.size());
  Progress progress(listener, {.label = "packing", .total = total});
  Packing packing;
  UnreadFiles unread(options.outage);
  const StopAsked stop = [&listener] { return listener.stop(); };
  try {
    for_each_in_order<PicturePacker, PackedPicture>(
        total, options.threads,
        [&](PicturePacker& packer, int64_t number) {
          return packer.pack(dataset.samples[static_cast<size_t>(number)], options, stop);
        },
        [&](int64_t number, const PackedPicture& packed) {
          const Sample& sample = dataset.samples[static_cast<size_t>(number)];
          packing.read += packed.read;
          packing.shrunk += packed.shrunk ? 1 : 0;
          packing.truncated += packed.truncated ? 1 : 0;
          if (packed.unread)
            unread.unread(sample.path, packed.error);
          else
            unread.read();
          if (packed.error.empty())
            writer.add(path_below(root, sample.path), sample.label, packed.file);
          else
            packing.broken.push_back({.sample = number, .reason = packed.error, .name = sample.path});
          progress.update(number + 1, format_bytes(static_cast<double>(writer.bytes())) + " written");
          packing.stopped = listener.stop();
          return !packing.stopped;
        });
  } catch (const DecodingStopped&) {
    packing.stopped = true;
  }
  return packing;
}

}  // namespace resflow
