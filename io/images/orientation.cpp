#include "io/images/orientation.h"

#include <algorithm>
#include <utility>

namespace resflow {

Rect Orientation::stored(const Rect& region, int width, int height) const {
  Rect rect = region;
  if (swaps_sides()) {
    std::swap(rect.left, rect.top);
    std::swap(rect.width, rect.height);
  }
  if (mirrors_columns()) rect.left = width - rect.left - rect.width;
  if (mirrors_rows()) rect.top = height - rect.top - rect.height;
  return rect;
}

Box Orientation::upright(Box box, int width, int height) const {
  if (mirrors_columns()) box.left = width - box.left - box.width;
  if (mirrors_rows()) box.top = height - box.top - box.height;
  if (swaps_sides()) {
    std::swap(box.left, box.top);
    std::swap(box.width, box.height);
  }
  return box;
}

void Orientation::turn(const Image& stored, Image& out) const {
  const int width = swaps_sides() ? stored.height() : stored.width();
  const int height = swaps_sides() ? stored.width() : stored.height();
  out.resize(width, height);
  // Tiles, so that of rows that become columns a few stay in the cache.
  constexpr int kTile = 32;
  for (int top = 0; top < height; top += kTile) {
    for (int left = 0; left < width; left += kTile) {
      for (int y = top; y < std::min(top + kTile, height); ++y) {
        uint8_t* to = out.row(y) + static_cast<ptrdiff_t>(left) * 3;
        for (int x = left; x < std::min(left + kTile, width); ++x, to += 3) {
          int from_x = swaps_sides() ? y : x, from_y = swaps_sides() ? x : y;
          if (mirrors_columns()) from_x = stored.width() - 1 - from_x;
          if (mirrors_rows()) from_y = stored.height() - 1 - from_y;
          std::copy_n(stored.row(from_y) + static_cast<ptrdiff_t>(from_x) * 3, 3, to);
        }
      }
    }
  }
}

}  // namespace resflow
