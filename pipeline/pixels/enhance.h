// Brightness, contrast, saturation and sharpness: Pillow's ImageEnhance to the bit.
//
// A picture is blended with a degenerate one by a factor: 0 gives the degenerate, 1 the picture, more goes on
// beyond it. out = degenerate + factor * (picture - degenerate) in f32, cut off to 0..255, fraction dropped.
// REQUIRES: factor is finite.
#pragma once

#include "io/images/image.h"

namespace resflow {

// The lightness that Pillow makes of a pixel (ITU-R 601), as contrast and saturation use it.
uint8_t lightness(const uint8_t* rgb);

void adjust_brightness(Image& image, double factor);                 // with black
void adjust_contrast(Image& image, double factor);                   // with the mean lightness
void adjust_saturation(Image& image, double factor);                 // with each pixel's lightness
void adjust_sharpness(Image& image, double factor, Image& scratch);  // with a smoothed picture

}  // namespace resflow
