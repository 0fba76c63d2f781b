// WebP to RGB u8 by libwebp, equal to Pillow's convert("RGB") to the bit where both use the same libwebp: alpha is
// dropped, of an animation the first picture is read. A file that ends early is an error.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/image.h"

namespace resflow {

// Used by one thread at a time.
class WebpReader {
 public:
  WebpReader();
  ~WebpReader();
  WebpReader(const WebpReader&) = delete;
  WebpReader& operator=(const WebpReader&) = delete;

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
