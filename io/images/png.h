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

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a PNG.
bool is_png(std::span<const uint8_t> bytes);

// Its EXIF data: the content of the last chunk eXIf; empty where there is none. `png` may be
// anything.
std::span<const uint8_t> png_exif(std::span<const uint8_t> png);

// The last of its texts (chunks tEXt, zTXt and iTXt) that is called `key`; empty where there is none, and where it has
// more than a mebibyte, which Pillow refuses. `png` may be anything.
std::string png_text(std::span<const uint8_t> png, std::string_view key);

std::unique_ptr<ImageReader> make_png_reader();

}  // namespace resflow
