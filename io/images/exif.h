// The orientation that EXIF data state, read as Pillow reads it. Where they stand in a file is the business of its
// format: jpeg_exif, png_exif and webp_exif in io/images/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "io/images/orientation.h"

namespace resflow {

// Of EXIF data, which are a TIFF directory, with "Exif\0\0" before it or not. Upright where there are none, where what
// they say is no orientation, and where they are malformed: that is never an error. `exif` may be anything.
Orientation exif_orientation(std::span<const uint8_t> exif);

// What the file says, as Pillow's exif_transpose has it: what stands in its EXIF data, and where these have no such
// entry the first tiff:Orientation of its XMP packet. Either may be empty, and may be anything.
Orientation orientation_of(std::span<const uint8_t> exif, std::span<const uint8_t> xmp);

// EXIF data as ImageMagick keeps them in a text of a PNG ("Raw profile type exif"): hexadecimal digits from the fourth
// line on. Empty where they are none.
std::vector<uint8_t> raw_profile(std::string_view text);

// The same of the first directory of a TIFF file, which may be a BigTIFF.
Orientation tiff_orientation(std::span<const uint8_t> tiff);

}  // namespace resflow
