// ColorJitter: brightness, contrast, saturation and hue change a little, in any order; torchvision 0.14.
#pragma once

#include <vector>

#include "pipeline/pixels/image_op.h"
#include "pipeline/pixels/random.h"

namespace resflow {

// How far each goes: a factor is uniform in [max(0, 1 - amount), 1 + amount], the hue turns by [-hue, hue].
struct ColorJitter {
  double brightness = 0, contrast = 0, saturation = 0, hue = 0;  // 0: not at all
  bool on() const { return brightness > 0 || contrast > 0 || saturation > 0 || hue > 0; }
};

// Throws Error{kUsage} for amounts below 0 or not finite, and a hue above 0.5.
void check(const ColorJitter& jitter);

// Appends what is drawn to `ops`. Draws, in this order: the order of the four, their amounts (also of those that
// are off, so that one option changes nothing about another).
void draw_color_jitter(const ColorJitter& jitter, Draw& draw, std::vector<ImageOp>& ops);

}  // namespace resflow
