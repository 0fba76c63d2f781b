// PBM, PGM and PPM (P1 to P6, plain and binary, 8 and 16 bits) to RGB u8, equal to Pillow's convert("RGB") to the bit.
// Pixels of up to 255 are scaled to 255; grey ones of more are scaled to 65,535 and then clipped at 255, as Pillow has
// it.
//
// Where pixels end early, a plain number is above the maximum, or a letter stands for one, the file is an error. Pillow
// 9.4 repeats the last number of a plain file that ends early without a line end, and mixes up numbers of plain files
// above a megabyte; here the one is refused and the other read as it is meant. PAM (P7) is refused.
//
// Of a binary file decode reads only the region, of a plain one always all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a PPM, PGM, PBM or PAM.
bool is_pnm(std::span<const uint8_t> bytes);

std::unique_ptr<ImageReader> make_pnm_reader();

}  // namespace resflow
