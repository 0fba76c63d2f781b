// Writes EXIF data into a JPEG that has none. (io/images/exif.h reads them.)
#pragma once

#include <cstdint>
#include <vector>

namespace resflow {

// Puts a segment with the orientation `exif` behind the JPEG's first marker; read_orientation
// (io/images/image_format.h) then gives it back. REQUIRES: `jpeg` begins as a JPEG does; exif is 1 to 8.
void put_orientation(std::vector<uint8_t>& jpeg, int exif);

}  // namespace resflow
