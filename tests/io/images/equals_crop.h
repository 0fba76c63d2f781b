// A picture against a region of another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "io/images/image.h"

namespace resflow::testing {

inline bool equals_crop(const Image& part, const Image& whole, const Rect& region) {
  if (part.width() != region.width || part.height() != region.height) return false;
  for (int y = 0; y < region.height; ++y) {
    const uint8_t* from = whole.row(region.top + y) + static_cast<ptrdiff_t>(region.left) * 3;
    if (!std::equal(from, from + part.row_bytes(), part.row(y))) return false;
  }
  return true;
}

}  // namespace resflow::testing
