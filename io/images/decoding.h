// What goes with the decoding of a picture besides its bytes: whether to stop within it, and what to make of a file
// that ends early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace resflow {

// Whether the work is to stop. Any thread may ask at any time.
using StopAsked = std::function<bool()>;

// Leaves a decoding that was asked to stop. It is no std::exception, because it says nothing about the picture.
struct DecodingStopped {};

// Asks now and then: a picture may take longer than somebody who wants to stop will wait.
class StopPoll {
 public:
  StopPoll() = default;
  // REQUIRES: `asked`, where it is not null, lives as long as this.
  explicit StopPoll(const StopAsked* asked) : asked_(asked) {}

  // `pixels` more are done. True where the work is to stop.
  bool asked(size_t pixels) {
    constexpr size_t kEvery = size_t{1} << 18;  // about a millisecond of work
    done_ += pixels;
    if (done_ < kEvery) return false;
    done_ = 0;
    return asked_ != nullptr && *asked_ && (*asked_)();
  }

  // The same, and throws DecodingStopped then.
  void check(size_t pixels) {
    if (asked(pixels)) throw DecodingStopped();
  }

 private:
  const StopAsked* asked_ = nullptr;
  size_t done_ = 0;
};

struct Decoding {
  StopPoll stop = {};
  bool take_truncated = false;  // a file that ends early is taken, with Pillow's pixels under LOAD_TRUNCATED_IMAGES
  bool truncated = false;       // set by the reader: it ended early, and was taken
  bool scale_grey16 = false;    // 16-bit grey is given by its high byte, and not clipped at 255 as Pillow does
  int64_t grey16 = 0;           // counted by the reader: pixels of 16-bit grey that were decoded
  int64_t clipped = 0;          // of them such as are above 255, and become white if they are clipped

  // A pixel of 16-bit grey, or of so many bits, as 8 bits.
  uint8_t grey16_level(unsigned value, unsigned bits = 16) {
    ++grey16;
    clipped += value > 255 ? 1 : 0;
    if (scale_grey16) return static_cast<uint8_t>(value >> (bits - 8));
    return static_cast<uint8_t>(value > 255 ? 255 : value);
  }
};

}  // namespace resflow
