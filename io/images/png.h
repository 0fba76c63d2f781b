// PNG to RGB u8 by libpng, equal to Pillow's convert("RGB") to the bit: alpha and transparency are dropped, 16-bit
// colour keeps its high byte, 16-bit grey is clipped at 255 (Pillow reads it as 32-bit integers and clips).
// Of an animation the first picture is read.
//
// Verdicts are Pillow's too: checksums of the chunks before the pixels must fit, those of the pixels need not;
// data that end before the last row is complete are an error. Stricter than Pillow are reserved values in the header,
// and pixels that end early though their compressed stream is complete; texts, profiles and EXIF are not looked at.
//
// decode always decodes all of the picture.
#pragma once

#include <memory>

#include "io/images/image_reader.h"

namespace resflow {

std::unique_ptr<ImageReader> make_png_reader();

}  // namespace resflow
