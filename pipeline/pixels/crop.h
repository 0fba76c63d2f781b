// Which part of a picture the network sees; torchvision's rules to the pixel (0.14, transforms.functional).
#pragma once

#include "io/images/image.h"
#include "pipeline/pixels/random.h"

namespace resflow {

// RandomResizedCrop: ten tries of a rectangle that covers scale[0]..scale[1] of the area and whose width /
// height lies in ratio[0]..ratio[1], log-uniformly; else the largest central one of an allowed ratio.
// Draws, in this order: area, ratio, and of an accepted try top and left.
// REQUIRES: width, height >= 1; 0 < low <= high in both ranges.
Rect random_resized_crop(int width, int height, const double scale[2], const double ratio[2], Draw& draw);

// Resize(resize) + CenterCrop(crop): the short side becomes `resize`, the long side follows, truncated; of
// that the middle crop x crop is taken, padded by zeros where it is larger than the picture.
struct ResizeCrop {
  int width = 0, height = 0;  // of the whole resized picture
  Rect keep;                  // the part of it that the crop shows
  int left = 0, top = 0;      // where that part stands within the crop; > 0 where there is padding
  bool operator==(const ResizeCrop&) const = default;
};
// Throws Error{kData} for a picture so elongated that its long side would have 2^31 pixels. REQUIRES: all are >= 1.
ResizeCrop resize_center_crop(int width, int height, int resize, int crop);

}  // namespace resflow
