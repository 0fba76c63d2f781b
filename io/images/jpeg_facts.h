// What the header of a JPEG file says about how it was stored, without decoding it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace resflow {

struct JpegFacts {
  int components = 0;  // 1 grey, 3 colour, 4 CMYK
  bool progressive = false;
  // Of colour: "4:2:0" and the like where the names of video fit, else the factors of each component, "2x2 2x1 1x1".
  std::string sampling = {};
};

// From the first frame header (SOF); nothing where there is none before the first scan.
std::optional<JpegFacts> jpeg_facts(std::span<const uint8_t> bytes);

}  // namespace resflow
