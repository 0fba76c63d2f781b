// The chunks of a PNG file, picked and checked as Pillow does, without decoding.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace resflow {

struct PngChunks {
  std::span<const uint8_t> header;  // content of IHDR, 13 bytes
  uint32_t width = 0, height = 0;
  std::span<const uint8_t> palette;              // content of PLTE; empty where there is none
  std::vector<std::span<const uint8_t>> pixels;  // contents of the IDATs, cut where the file ends
};

// REQUIRES: bytes start with PNG's signature. Throws Error{kData} for a chunk before the pixels that is cut short
// or whose checksum differs, where there are no pixels, and for a chunk after them that is cut short.
PngChunks read_png_chunks(std::span<const uint8_t> bytes);

}  // namespace resflow
