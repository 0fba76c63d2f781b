// An 8-bit RGB picture, interleaved, rows without padding; and a rectangle of one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace resflow {

// Columns [left, left + width), rows [top, top + height).
struct Rect {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Rect&) const = default;
};

// Buffers of more bytes than this are given back after use: what one huge picture needed is not kept for all that
// follow.
inline constexpr int64_t kLargeBytes = int64_t{64} << 20;

template <class T>
void give_back_large(std::vector<T>& buffer) {
  if (buffer.capacity() * sizeof(T) > static_cast<size_t>(kLargeBytes)) std::vector<T>().swap(buffer);
}

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

  // Makes all values black.
  void clear() { std::fill_n(pixels_.begin(), row_bytes() * static_cast<size_t>(height_), uint8_t{0}); }

  // Frees what give_back_large() frees. The picture is gone then: its size is 0.
  void give_back() {
    give_back_large(pixels_);
    if (pixels_.empty()) width_ = height_ = 0;
  }

 private:
  int width_ = 0, height_ = 0;
  std::vector<uint8_t> pixels_;
};

}  // namespace resflow
