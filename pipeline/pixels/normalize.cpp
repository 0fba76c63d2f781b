#include "pipeline/pixels/normalize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "io/core/error.h"
#include "pipeline/pixels/normalize_kernels.h"

namespace resflow {

Normalizer::Normalizer(const float mean[3], const float std[3], Isa isa) : avx512_(isa >= Isa::kAvx512Vnni) {
  for (int c = 0; c < 3; ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(std[c]) || !(std[c] > 0))
      throw usage_error("normalization of channel {}: mean {} and std {}, wanted finite numbers and a std above 0", c,
                        mean[c], std[c]);
    mean_[c] = mean[c];
    std_[c] = std[c];
    inverse_std_[c] = 1.0F / std[c];
    for (int value = 0; value < 256; ++value) {
      const float unit = static_cast<float>(value) / 255.0F;
      const float centred = unit - mean[c];
      table_[c][value] = centred / std[c];
    }
  }
  if (avx512_) {
    // The kernel's multiplications must give every division's bits, for this mean and std; else the table does it.
    alignas(64) uint8_t bytes[256 * 3];
    for (int i = 0; i < 256 * 3; ++i) bytes[i] = static_cast<uint8_t>(i / 3);
    float got[3][256];
    float* const planes[3] = {got[0], got[1], got[2]};
    normalize_kernels::row_avx512(bytes, 256, false, {mean_, std_, inverse_std_}, planes);
    const auto same_bits = [](float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); };
    for (int c = 0; c < 3; ++c)
      if (!std::equal(std::begin(got[c]), std::end(got[c]), std::begin(table_[c]), same_bits)) avx512_ = false;
  }
}

void Normalizer::run(const uint8_t* src, int width, int height, bool flip, float* dst) const {
  const size_t plane = static_cast<size_t>(width) * static_cast<size_t>(height);
  const int done = avx512_ ? width / normalize_kernels::kPixels * normalize_kernels::kPixels : 0;
  for (int y = 0; y < height; ++y, src += static_cast<size_t>(width) * 3, dst += width) {
    float* const planes[3] = {dst, dst + plane, dst + 2 * plane};
    if (done > 0) normalize_kernels::row_avx512(src, width, flip, {mean_, std_, inverse_std_}, planes);
    for (int x = done; x < width; ++x) {
      const int to = flip ? width - 1 - x : x;
      for (int c = 0; c < 3; ++c) planes[c][to] = table_[c][src[x * 3 + c]];
    }
  }
}

}  // namespace resflow
