// An 8-bit RGB picture, interleaved, rows without padding; and a rectangle of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace resflow {

// Columns [left, left + width), rows [top, top + height).
struct Rect {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Rect&) const = default;
};

// A part of a picture whose edges lie between pixels: pixel x covers [x, x + 1).
struct Box {
  double left = 0, top = 0, width = 0, height = 0;
};

class Image {
 public:
  int width() const { return width_; }
  int height() const { return height_; }
  size_t row_bytes() const { return static_cast<size_t>(width_) * 3; }
  uint8_t* row(int y) { return pixels_.data() + static_cast<size_t>(y) * row_bytes(); }
  const uint8_t* row(int y) const { return pixels_.data() + static_cast<size_t>(y) * row_bytes(); }

  // Sets the size; values are unspecified. Memory only grows, so that a reused Image allocates nothing.
  void resize(int width, int height) {
    width_ = width;
    height_ = height;
    const size_t bytes = row_bytes() * static_cast<size_t>(height);
    if (pixels_.size() < bytes) pixels_.resize(bytes);
  }

 private:
  int width_ = 0, height_ = 0;
  std::vector<uint8_t> pixels_;
};

}  // namespace resflow
