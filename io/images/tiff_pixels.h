// How a TIFF's pixels are stored, and their way to RGB.
#pragma once

#include <cstdint>
#include <vector>

#include "io/images/decoding.h"

namespace resflow {

// What the tags say, as libtiff gives them.
struct TiffTags {
  bool big_endian = false;
  uint16_t compression = 1, photometric = 0, planar = 1, fill_order = 1, bits = 1, samples = 1, sample_format = 1;
  std::vector<uint16_t> extra = {};  // kinds of the samples beyond the colours
};

enum class TiffPixels {
  kGrey,  // of `bits` 1, 2, 4 or 8
  kGrey12,
  kGrey16,
  kSigned16,
  kSigned32,
  kFloat,
  kIndex,  // of `bits` 1, 2, 4 or 8
  kRgb,    // of 8 or 16 bits
  kRgbTimesAlpha,
  kCmyk,
  kRaster,  // libtiff makes RGBA of them
};

struct TiffLayout {
  TiffPixels pixels = TiffPixels::kGrey;
  bool inverted = false;              // kGrey: 0 is white
  int bits = 8;                       // of a sample
  int samples = 1;                    // of a pixel, in what is given to tiff_row_to_rgb
  int samples_needed = 1;             // of them, the first ones
  std::vector<uint8_t> palette = {};  // kIndex: RGB for each index
};

// Throws Error{kData} for what is not read.
TiffLayout tiff_layout(const TiffTags& tags);

// Pixels [first, first + count) of a row of samples in the machine's byte order, as RGB.
// `decoding` says what becomes of 16-bit grey, and counts it.
void tiff_row_to_rgb(const TiffLayout& layout, const uint8_t* row, int first, int count, uint8_t* rgb,
                     Decoding& decoding);

}  // namespace resflow
