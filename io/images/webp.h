// WebP to RGB u8 by libwebp, equal to Pillow's convert("RGB") to the bit where both use the same libwebp: alpha is
// dropped, of an animation the first picture is read. A file that ends early is an error.
//
// decode always decodes all of the picture.
#pragma once

#include <memory>

#include "io/images/image_reader.h"

namespace resflow {

std::unique_ptr<ImageReader> make_webp_reader();

}  // namespace resflow
