// Turns the hue: torchvision's adjust_hue on a Pillow picture to the bit, which is Pillow's way to HSV and back.
//
// HSV has 8 bits a channel: even a turn of 0 is not quite the picture that it was.
#pragma once

#include "io/images/image.h"

namespace resflow {

// REQUIRES: -0.5 <= turn <= 0.5.
void adjust_hue(Image& image, double turn);

}  // namespace resflow
