// What becomes of a byte depends on its value and its channel alone: Pillow's ImageOps to the bit.
#pragma once

#include <cstdint>

#include "io/images/image.h"

namespace resflow {

void posterize(Image& image, int bits);         // keeps the upper bits. REQUIRES: 0 <= bits <= 8.
void solarize(Image& image, double threshold);  // inverts from the threshold up
void invert(Image& image);
void autocontrast(Image& image);  // stretches each channel to 0..255
void equalize(Image& image);      // evens each channel's histogram out

// Every byte of the picture becomes table[byte].
void map_bytes(Image& image, const uint8_t table[256]);

}  // namespace resflow
