// JPEG to RGB u8 by libjpeg-turbo, with the settings and the verdicts of Pillow: exact integer inverse DCT,
// smooth ("fancy") upsampling of colour, CMYK taken as Adobe's inverted one. Data that end before the last row
// is complete are an error; damage that libjpeg only warns of is not.
//
// Of an ordinary file (one sequential scan, usual sampling, no stray markers) decode transforms only what the region
// needs, and reads nothing after its last row.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a JPEG.
bool is_jpeg(std::span<const uint8_t> bytes);

// Its EXIF data: the content of the first APP1 segment that holds some; empty where none does. `jpeg` may be anything.
std::span<const uint8_t> jpeg_exif(std::span<const uint8_t> jpeg);
// The same of its XMP packet, of which the last one holds.
std::span<const uint8_t> jpeg_xmp(std::span<const uint8_t> jpeg);

std::unique_ptr<ImageReader> make_jpeg_reader();

}  // namespace resflow
