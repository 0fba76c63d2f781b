// The orientation that an image file states in its EXIF data, read as Pillow reads it.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/image_format.h"
#include "io/images/orientation.h"

namespace resflow {

// Of a JPEG the first APP1 segment with EXIF, of a PNG the last chunk eXIf (texts that carry EXIF or XMP are not looked
// at), of a WebP its chunk EXIF, of a TIFF its first directory. Upright where there is none, where what it says is no
// orientation, and where the data are malformed: they are never an error. `bytes` may be anything.
Orientation read_orientation(std::span<const uint8_t> bytes, ImageFormat format);

// The same of EXIF data by themselves: a TIFF directory, "Exif\0\0" before it or not.
Orientation exif_orientation(std::span<const uint8_t> exif);

}  // namespace resflow
