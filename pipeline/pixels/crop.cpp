#include "pipeline/pixels/crop.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdint>

#include "io/core/error.h"

namespace resflow {
namespace {

// Python's round(): halves go to the even neighbour, as they do in the default rounding mode. What no int can be, and
// what is no number, is the largest one: no side of a picture has so many pixels.
int round_half_even(double value) {
  const double rounded = std::nearbyint(value);
  return rounded >= 0 && rounded < INT_MAX ? static_cast<int>(rounded) : INT_MAX;
}

}  // namespace

Rect random_resized_crop(int width, int height, const double scale[2], const double ratio[2], Draw& draw) {
  constexpr int kTries = 10;
  const double area = static_cast<double>(width) * height;
  const double log_ratio[2] = {std::log(ratio[0]), std::log(ratio[1])};
  for (int i = 0; i < kTries; ++i) {
    const double target_area = area * draw.uniform(scale[0], scale[1]);
    const double aspect = std::exp(draw.uniform(log_ratio[0], log_ratio[1]));
    const int w = round_half_even(std::sqrt(target_area * aspect));
    const int h = round_half_even(std::sqrt(target_area / aspect));
    if (0 < w && w <= width && 0 < h && h <= height) {
      const auto top = static_cast<int>(draw.integer(0, height - h));
      const auto left = static_cast<int>(draw.integer(0, width - w));
      return {left, top, w, h};
    }
  }
  int w = width, h = height;
  const double own_ratio = static_cast<double>(width) / height;
  if (own_ratio < ratio[0]) h = std::max(1, round_half_even(w / ratio[0]));
  if (own_ratio > ratio[1]) w = std::max(1, round_half_even(h * ratio[1]));
  return {(width - w) / 2, (height - h) / 2, w, h};
}

ResizeCrop resize_center_crop(int width, int height, int resize, int crop) {
  const int64_t shorter = std::min(width, height), longer = std::max(width, height);
  const double exact = static_cast<double>(resize * longer) / static_cast<double>(shorter);
  if (exact >= INT_MAX)
    throw data_error("is {}x{} pixels: too elongated to be resized to {} on its short side", width, height, resize);
  const auto long_side = static_cast<int>(exact);
  ResizeCrop result;
  result.width = width <= height ? resize : long_side;
  result.height = width <= height ? long_side : resize;
  // Along each side either the picture is cut or the crop is padded.
  const auto place = [crop](int size, int& keep_first, int& keep_size, int& pad) {
    keep_first = size > crop ? round_half_even((size - crop) / 2.0) : 0;
    keep_size = std::min(size, crop);
    pad = size < crop ? (crop - size) / 2 : 0;
  };
  place(result.width, result.keep.left, result.keep.width, result.left);
  place(result.height, result.keep.top, result.keep.height, result.top);
  return result;
}

}  // namespace resflow
