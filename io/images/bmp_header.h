// The headers of a BMP file, read and checked as Pillow does, without its pixels.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace resflow {

// How a pixel of a BMP stands in its row.
enum class BmpPixels {
  kIndex1,  // bits from the highest down, to be looked up in the palette
  kIndex4,
  kIndex8,
  kRgb555,  // little-endian
  kRgb565,
  kBytes,  // as `bytes_per_pixel`, `red`, `green` and `blue` say
  kRle4,   // run-length encoded indices
  kRle8,
};

struct BmpHeader {
  uint32_t width = 0, height = 0;
  bool top_down = false;
  BmpPixels pixels = BmpPixels::kBytes;
  size_t bytes_per_pixel = 0, red = 0, green = 0, blue = 0;  // kBytes: where the channels stand within a pixel
  std::array<std::array<uint8_t, 3>, 256> palette{};         // RGB; the indices' colours
  uint64_t offset = 0;                                       // of the pixels in the file
  uint64_t stride = 0;                                       // bytes from row to row; not of run-length encoded ones
  uint64_t row_bytes = 0;                                    // of them the pixels
};

// Throws Error{kData}.
BmpHeader read_bmp_header(std::span<const uint8_t> bytes);

}  // namespace resflow
