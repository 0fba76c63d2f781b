// PNG to RGB u8 by libpng, equal to Pillow's convert("RGB") to the bit: alpha and transparency are dropped, 16-bit
// colour keeps its high byte, 16-bit grey is clipped at 255 (Pillow reads it as 32-bit integers and clips).
// Of an animation the first picture is read.
//
// Verdicts are Pillow's too: checksums of the chunks before the pixels must fit, those of the pixels need not;
// data that end before the last row is complete are an error. Stricter than Pillow are reserved values in the header,
// and pixels that end early though their compressed stream is complete; texts, profiles and EXIF are not looked at.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/image.h"

namespace resflow {

// Used by one thread at a time.
class PngReader {
 public:
  PngReader();
  ~PngReader();
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // Reads the header; `bytes` must stay valid until decode has returned. Throws Error{kData}.
  void open(std::span<const uint8_t> bytes);
  int width() const;
  int height() const;

  // Sets `out` to `region` of the picture; always decodes all of it.
  // REQUIRES: region is not empty and lies within the picture. Throws Error{kData}.
  void decode(const Rect& region, Image& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
