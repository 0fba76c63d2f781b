// Shear, translation and rotation by the nearest pixel; what comes from outside is black.
//
// The bits of torchvision 0.14's affine and rotate on a Pillow 9.4 picture, as its automatic augmentation calls
// them: the matrix in f64, then the places of the source in 16.16 fixed point.
#pragma once

#include "io/images/image.h"

namespace resflow {

// The source of a pixel at x, y, counted from its middle, is at
//   xx * x + xy * y + x0,  yx * x + yy * y + y0.
struct AffineMap {
  double xx, xy, x0;
  double yx, yy, y0;
};
// REQUIRES: `in` and `out` are two pictures.
void transform_nearest(const Image& in, const AffineMap& map, Image& out);

// Each changes `image` and leaves what it was in `scratch`.
void shear_x(Image& image, double tangent, Image& scratch);  // rows move, from the upper left corner
void shear_y(Image& image, double tangent, Image& scratch);  // columns move
void translate(Image& image, int right, int down, Image& scratch);
void rotate(Image& image, double degrees, Image& scratch);  // around the middle, counter-clockwise

void mirror(Image& image);  // left to right, in place

}  // namespace resflow
