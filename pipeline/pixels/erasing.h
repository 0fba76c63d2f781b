// RandomErasing (Zhong et al. 2020): a rectangle of the normalized picture becomes 0; torchvision 0.14.
#pragma once

#include "io/images/image.h"
#include "pipeline/pixels/random.h"

namespace resflow {

// Ten tries of a rectangle that covers scale[0]..scale[1] of the area and whose height / width lies in
// ratio[0]..ratio[1], log-uniformly; it must be smaller than the picture both ways, else nothing is erased: empty.
// Draws, in this order: whether at all, then of each try area and ratio, and of the accepted one top and left.
// REQUIRES: 0 <= probability <= 1, 0 < low <= high in both ranges.
Rect draw_erasing(double probability, const double scale[2], const double ratio[2], int width, int height, Draw& draw);

// Sets the rectangle to 0 in three planes of height x width.
void erase(const Rect& rect, int width, int height, float* planes);

}  // namespace resflow
