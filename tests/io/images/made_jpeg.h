// JPEG files of kinds that Pillow cannot write, made by libjpeg for the tests.
#pragma once

#include <cstdint>
#include <vector>

namespace resflow::testing {

struct JpegKind {
  int width = 64, height = 48;
  int channels = 3;   // 1 grey, 3 colour, 4 CMYK
  bool ycck = false;  // of CMYK: as Adobe's programs store it
  bool rgb = false;   // of colour: stored without conversion
  int h = 2, v = 2;   // sampling factors of the first component
  int chroma_h = 1, chroma_v = 1;
  int restart_rows = 0, restart_blocks = 0;
  bool progressive = false, arithmetic = false;
  bool scan_for_each_component = false;    // sequential, not interleaved
  bool scan_for_each_coefficient = false;  // progressive, 190 scans
  int quality = 85;
};

// Smooth colours with edges. The same bytes for the same kind.
std::vector<uint8_t> make_jpeg(const JpegKind& kind);

}  // namespace resflow::testing
