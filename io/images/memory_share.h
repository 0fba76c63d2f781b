// The memory that all pictures of the process have together, so that a few huge ones cannot take it all at once.
//
// What most pictures need is nobody's concern. One that needs more than kLargeBytes takes a share first, and waits for
// it while others have too much; one that needs more than all shares together waits until it is alone. Whoever holds a
// share must decode that one picture and do nothing else, above all no other task of a scheduler, which might wait in
// turn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "io/images/decoding.h"
#include "io/images/image.h"

namespace resflow {

class MemoryShare {
 public:
  // More than there is: whoever asks for it is alone.
  static constexpr int64_t kAll = INT64_MAX;

  // Of nothing.
  MemoryShare() = default;
  // Waits for it. Of no more than kLargeBytes it is nothing, and does not wait. Within another share of the same thread
  // it is nothing but for kAll, which gives that one up until it has it. Throws DecodingStopped where `stop` says so
  // meanwhile.
  MemoryShare(int64_t bytes, const StopAsked& stop) { take(bytes, stop); }
  ~MemoryShare() { give_back(); }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  // As the constructor. REQUIRES: it is of nothing.
  void take(int64_t bytes, const StopAsked& stop);

  // Whether this thread holds a share, by this or by another one.
  static bool held();

 private:
  void give_back();

  int64_t bytes_ = 0;
};

// Runs `work`. Where memory is short, `give_back` is called, and `work` runs once more while no other large picture is
// in memory. What it throws then leaves.
template <class Work, class GiveBack>
void with_memory(const StopAsked& stop, const GiveBack& give_back, const Work& work) {
  try {
    work();
    return;
  } catch (const std::bad_alloc&) {
  }
  give_back();
  const MemoryShare all(MemoryShare::kAll, stop);
  work();
}

// How much memory a library's own allocation failed for want of: set before it is called, and asked after it failed.
// malloc says so by errno, and the libraries, which read from memory, call nothing else that would.
class ShortageWatch {
 public:
  ShortageWatch();
  bool seen() const;
};

}  // namespace resflow
