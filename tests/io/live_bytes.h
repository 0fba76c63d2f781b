// How much memory is in use at most while something runs.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>

namespace resflow::testing {

class LiveBytes {
 public:
  LiveBytes() : before_(now()) {}

  // To be called now and then.
  void look() { peak_ = std::max(peak_, now()); }

  // More than at the beginning, at the worst look. The allocator's own rounding is in it.
  size_t peak() const { return peak_ > before_ ? peak_ - before_ : 0; }

 private:
  static size_t now() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  }

  size_t before_, peak_ = 0;
};

}  // namespace resflow::testing
