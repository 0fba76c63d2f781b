// A JPEG file that says how its picture is to be turned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resflow::testing {

// The file with an APP1 segment of EXIF, with this orientation, before all its other segments.
inline std::vector<uint8_t> with_exif(const std::vector<uint8_t>& jpeg, uint8_t orientation) {
  using namespace std::string_literals;
  const std::string segment = "\xFF\xE1\0\x22"s + "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0"s +
                              static_cast<char>(orientation) + "\0\0\0\0\0\0\0"s;
  std::vector<uint8_t> bytes(jpeg.begin(), jpeg.begin() + 2);
  for (const char c : segment) bytes.push_back(static_cast<uint8_t>(c));
  for (size_t i = 2; i < jpeg.size(); ++i) bytes.push_back(jpeg[i]);
  return bytes;
}

}  // namespace resflow::testing
