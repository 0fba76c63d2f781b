#include "pipeline/pixels/erasing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace resflow {

Rect draw_erasing(double probability, const double scale[2], const double ratio[2], int width, int height, Draw& draw) {
  if (!(draw.uniform() < probability)) return {};
  constexpr int kTries = 10;
  const double area = static_cast<double>(width) * height;
  const double log_ratio[2] = {std::log(ratio[0]), std::log(ratio[1])};
  for (int i = 0; i < kTries; ++i) {
    const double erased = area * draw.uniform(scale[0], scale[1]);
    const double aspect = std::exp(draw.uniform(log_ratio[0], log_ratio[1]));
    // Rounded as Python does, halves to the even neighbour.
    const double h = std::nearbyint(std::sqrt(erased * aspect)), w = std::nearbyint(std::sqrt(erased / aspect));
    if (!(h < height && w < width)) continue;
    Rect rect{0, 0, static_cast<int>(w), static_cast<int>(h)};
    rect.top = static_cast<int>(draw.integer(0, height - rect.height));
    rect.left = static_cast<int>(draw.integer(0, width - rect.width));
    return rect;
  }
  return {};
}

void erase(const Rect& rect, int width, int height, float* planes) {
  for (int plane = 0; plane < 3; ++plane)
    for (int y = rect.top; y < rect.top + rect.height; ++y)
      std::fill_n(planes +
                      (static_cast<size_t>(plane) * static_cast<size_t>(height) + static_cast<size_t>(y)) *
                          static_cast<size_t>(width) +
                      rect.left,
                  rect.width, 0.0F);
}

}  // namespace resflow
