// EXIF's eight orientations: how a stored picture is turned and mirrored to stand upright.
#pragma once

#include "io/images/image.h"

namespace resflow {

// As EXIF numbers them: 1 as stored; 2 mirrored left to right, 3 turned by half, 4 mirrored top to bottom, 5 mirrored
// at the diagonal; 6 to be turned right, 7 mirrored at the other diagonal, 8 to be turned left.
class Orientation {
 public:
  Orientation() = default;
  // Any other number is as 1.
  explicit Orientation(int exif) : exif_(exif >= 1 && exif <= 8 ? exif : 1) {}

  int exif() const { return exif_; }
  bool is_upright() const { return exif_ == 1; }
  bool swaps_sides() const { return exif_ >= 5; }  // width and height

  // The part of a stored picture of width x height that shows `region` of the upright one.
  Rect stored(const Rect& region, int width, int height) const;

  // Where `box` of a stored picture of width x height lies in the upright one.
  Box upright(Box box, int width, int height) const;

  // Sets `out` to `stored`, upright: as Pillow's Image.transpose does it.
  void turn(const Image& stored, Image& out) const;

 private:
  bool mirrors_columns() const { return exif_ == 2 || exif_ == 3 || exif_ == 7 || exif_ == 8; }
  bool mirrors_rows() const { return exif_ == 3 || exif_ == 4 || exif_ == 6 || exif_ == 7; }

  int exif_ = 1;
};

}  // namespace resflow
