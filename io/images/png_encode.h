// RGB u8 to a PNG file: 8 bits a channel, without loss.
#pragma once

#include <cstdint>
#include <vector>

#include "io/images/image.h"

namespace resflow {

// The same bytes for the same image, with the same libpng and zlib.
// REQUIRES: image is not empty, no side is above 1,000,000; else Error{kInternal}.
std::vector<uint8_t> encode_png(const Image& image);

}  // namespace resflow
