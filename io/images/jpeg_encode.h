// RGB u8 to a JPEG file: baseline, colour at half size in both directions (4:2:0), as cameras write them.
#pragma once

#include <cstdint>
#include <vector>

#include "io/images/image.h"

namespace resflow {

// The same bytes for the same image and quality, with the same libjpeg-turbo.
// REQUIRES: image is not empty, no side is above 65,500, 1 <= quality <= 100; else Error{kInternal}.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 90);

}  // namespace resflow
