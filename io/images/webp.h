// WebP to RGB u8 by libwebp, equal to Pillow's convert("RGB") to the bit where both use the same libwebp: alpha is
// dropped, of an animation the first picture is read. A file that ends early is an error.
//
// decode always decodes all of the picture.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a WebP.
bool is_webp(std::span<const uint8_t> bytes);

// Its EXIF data: the content of its chunk EXIF; empty where there is none. `webp` may be anything.
std::span<const uint8_t> webp_exif(std::span<const uint8_t> webp);
// The same of its chunk of XMP.
std::span<const uint8_t> webp_xmp(std::span<const uint8_t> webp);

std::unique_ptr<ImageReader> make_webp_reader();

}  // namespace resflow
