#include "io/images/exif_write.h"

#include <algorithm>
#include <array>

#include "io/core/error.h"

namespace resflow {

void put_orientation(std::vector<uint8_t>& jpeg, int exif) {
  constexpr size_t kMarker = 2;
  if (jpeg.size() < kMarker || jpeg[0] != 0xFF || jpeg[1] != 0xD8 || exif < 1 || exif > 8)
    throw internal_error("orientation {} for what is no JPEG", exif);
  // APP1 of 34 bytes; a little-endian TIFF header; a directory of one entry: tag 0x0112, type SHORT, count 1.
  std::array<uint8_t, 36> segment = {0xFF, 0xE1, 0x00, 0x22, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 0x2A, 0, 8, 0, 0, 0,
                                     1,    0,    0x12, 0x01, 3,   0,   1,   0,   0, 0, 0,   0,   0,    0, 0, 0, 0, 0};
  segment[28] = static_cast<uint8_t>(exif);
  jpeg.insert(jpeg.begin() + kMarker, segment.begin(), segment.end());
}

}  // namespace resflow
