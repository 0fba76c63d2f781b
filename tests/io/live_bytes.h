// How much memory is in use at most while something runs.
#pragma once

#include <algorithm>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Of the sanitizers' runtime, whose own allocator mallinfo does not know. Debian's GCC has no header of it.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

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
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
  }

  size_t before_, peak_ = 0;
};

}  // namespace resflow::testing
