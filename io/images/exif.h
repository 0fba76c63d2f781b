// The orientation that EXIF data state, read as Pillow reads it. Where they stand in a file is the business of its
// format: jpeg_exif, png_exif and webp_exif in io/images/.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/orientation.h"

namespace resflow {

// Of EXIF data, which are a TIFF directory, with "Exif\0\0" before it or not. Upright where there are none, where what
// they say is no orientation, and where they are malformed: that is never an error. `exif` may be anything.
Orientation exif_orientation(std::span<const uint8_t> exif);

// The same of the first directory of a TIFF file, which may be a BigTIFF.
Orientation tiff_orientation(std::span<const uint8_t> tiff);

}  // namespace resflow
