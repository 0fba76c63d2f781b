// A reader of one image format. Used by one thread at a time; keeps its memory from file to file.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/decoding.h"
#include "io/images/image.h"

namespace resflow {

class ImageReader {
 public:
  ImageReader() = default;
  virtual ~ImageReader() = default;
  ImageReader(const ImageReader&) = delete;
  ImageReader& operator=(const ImageReader&) = delete;

  // Reads the header; `bytes` must stay valid until decode has returned. Throws Error{kData}.
  virtual void open(std::span<const uint8_t> bytes) = 0;
  virtual int width() const = 0;
  virtual int height() const = 0;

  // From now on the opened picture is eighths / 8 of its size in both directions, rounded up, decoded as is quickest
  // (io/images/decode.h). False where the format knows no such thing, and nothing is changed.
  // REQUIRES: nothing of it was decoded yet; eighths is 1, 2, 4 or 8.
  virtual bool set_scale(int eighths) {
    static_cast<void>(eighths);
    return false;
  }

  // About how many bytes decode() needs at once, beside the file and the pixels that it gives.
  virtual int64_t working_bytes() const { return 0; }

  // Frees buffers of more than kLargeBytes. The picture stays open.
  virtual void give_back() {}

  // What holds for the decodings to come, and how the last one went.
  Decoding& decoding() { return decoding_; }
  const Decoding& decoding() const { return decoding_; }

  // Sets `out` to `region` of the opened picture. A file that ends early is an error wherever the region is.
  // REQUIRES: region is not empty and lies within the picture. Throws Error{kData}; std::bad_alloc where memory is
  // short, also where the library says so; DecodingStopped.
  virtual void decode(const Rect& region, Image& out) = 0;

 private:
  Decoding decoding_;
};

}  // namespace resflow
