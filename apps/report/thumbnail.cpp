#include "apps/report/thumbnail.h"

#include <algorithm>
#include <cmath>

#include "apps/pages/html.h"
#include "io/core/error.h"
#include "io/images/jpeg_encode.h"

namespace resflow {

Thumbnail Thumbnails::make(const Sample& sample, int side) {
  constexpr int kQuality = 82;
  try {
    decoder_.open(read_sample(sample, buffer_));
    decoder_.decode(whole_);
    const double scale = std::min(1.0, static_cast<double>(side) / std::max(whole_.width(), whole_.height()));
    const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
    const int width = scaled(whole_.width()), height = scaled(whole_.height());
    small_.resize(width, height);
    resizer_.plan(whole_.width(), whole_.height(), width, height, {0, 0, width, height});
    resizer_.run(whole_, small_.row(0), small_.row_bytes());
    return {width, height, data_uri("image/jpeg", encode_jpeg(small_, kQuality)), {}};
  } catch (const Error& e) {
    return {0, 0, {}, e.what()};
  }
}

}  // namespace resflow
