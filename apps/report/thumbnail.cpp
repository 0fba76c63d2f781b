#include "apps/report/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <span>

#include "apps/pages/html.h"
#include "io/core/broken_reason.h"
#include "io/images/jpeg_encode.h"
#include "io/images/memory_share.h"

namespace resflow {

void Thumbnails::give_back() {
  decoder_.give_back();
  resizer_.give_back();
  whole_.give_back();
  give_back_large(buffer_);
}

Thumbnail Thumbnails::make(const Sample& sample, int side) {
  Thumbnail thumbnail;
  try {
    with_memory(
        {}, [this] { give_back(); }, [&] { thumbnail = shrunk(sample, side); });
  } catch (const std::exception&) {
    thumbnail.reason = picture_failure(std::current_exception(), sample.path).reason;
  }
  give_back();
  return thumbnail;
}

Thumbnail Thumbnails::shrunk(const Sample& sample, int side) {
  constexpr int kQuality = 82;
  MemoryShare file_share;
  const std::span<const uint8_t> bytes =
      read_sample(sample, buffer_,
                  {.max_pixels = accept_.max_pixels, .before_large = [&] { file_share.take(MemoryShare::kAll, {}); }});
  decoder_.open(bytes);
  const MemoryShare share(decoder_.decoding_bytes(), {});
  decoder_.decode(whole_);
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(whole_.width(), whole_.height()));
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  const int width = scaled(whole_.width()), height = scaled(whole_.height());
  small_.resize(width, height);
  resizer_.plan(whole_.width(), whole_.height(), width, height, {0, 0, width, height});
  resizer_.run(whole_, small_.row(0), small_.row_bytes());
  give_back();
  return {width, height, data_uri("image/jpeg", encode_jpeg(small_, kQuality)), {}};
}

}  // namespace resflow
