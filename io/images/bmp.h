// BMP to RGB u8, equal to Pillow's convert("RGB") to the bit: headers of Windows (40, 108 and 124 bytes) and OS/2 (12
// and 64), 1, 4, 8, 16, 24 and 32 bits a pixel, rows from below or from above, bit fields, RLE4 and RLE8. Alpha is
// dropped.
//
// Indices beyond the palette are greys. The verdicts are Pillow's too: 2 bits a pixel, unusual bit fields, embedded
// JPEG or PNG, palettes above 256 colours and pixels that end early are errors. Read as they are meant, though
// Pillow 9.4 mixes them up, are jumps and empty rows within run-length encoded pixels, and pixels of 4 or 8 bits whose
// palette is black and white alone or a short ramp of greys.
//
// Of a file that is not run-length encoded decode reads only the region.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a BMP.
bool is_bmp(std::span<const uint8_t> bytes);

std::unique_ptr<ImageReader> make_bmp_reader();

}  // namespace resflow
