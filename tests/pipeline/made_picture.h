// A small JPEG that no other seed gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/images/image.h"
#include "io/images/jpeg_encode.h"

namespace resflow::testing {

inline std::vector<uint8_t> picture(int seed) {
  Image image;
  image.resize(40 + seed % 7, 36 + seed % 5);
  for (int y = 0; y < image.height(); ++y)
    for (size_t x = 0; x < image.row_bytes(); ++x)
      image.row(y)[x] = static_cast<uint8_t>(static_cast<size_t>(seed * 31 + y * 5) + x * static_cast<size_t>(seed));
  return encode_jpeg(image);
}

}  // namespace resflow::testing
