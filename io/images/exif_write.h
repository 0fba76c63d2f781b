// An EXIF orientation for a JPEG that has no EXIF data.
#pragma once

#include <cstdint>
#include <vector>

namespace resflow {

// Puts a segment that says it behind the JPEG's first marker: read_orientation (io/images/exif.h) then gives it back.
// REQUIRES: `jpeg` begins as a JPEG does; exif is 1 to 8.
void put_orientation(std::vector<uint8_t>& jpeg, int exif);

}  // namespace resflow
