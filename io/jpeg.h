// JPEG to RGB u8 by libjpeg-turbo, with the settings and the verdicts of Pillow: exact integer inverse DCT,
// smooth ("fancy") upsampling of colour, CMYK taken as Adobe's inverted one. Data that end before the last row
// is complete are an error; damage that libjpeg only warns of is not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/image.h"

namespace resflow {

// Used by one thread at a time.
class JpegReader {
 public:
  JpegReader();
  ~JpegReader();
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // Reads the header; `bytes` must stay valid until decode has returned. Throws Error{kData}.
  void open(std::span<const uint8_t> bytes);
  int width() const;
  int height() const;

  // Sets `out` to `region` of the picture. Of an ordinary file (one sequential scan, usual sampling, no stray
  // markers) only what the region needs is transformed, and nothing after its last row is read.
  // REQUIRES: region is not empty and lies within the picture. Throws Error{kData}.
  void decode(const Rect& region, Image& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
