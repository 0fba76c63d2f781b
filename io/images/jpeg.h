// JPEG to RGB u8 by libjpeg-turbo, with the settings and the verdicts of Pillow: exact integer inverse DCT,
// smooth ("fancy") upsampling of colour, CMYK taken as Adobe's inverted one. Data that end before the last row
// is complete are an error; damage that libjpeg only warns of is not.
//
// Of an ordinary file (one sequential scan, usual sampling, no stray markers) decode transforms only what the region
// needs, and reads nothing after its last row.
#pragma once

#include <memory>

#include "io/images/image_reader.h"

namespace resflow {

std::unique_ptr<ImageReader> make_jpeg_reader();

}  // namespace resflow
