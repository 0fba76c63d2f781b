// Where buffers lie in one arena: those that are never live at the same step share addresses.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace resflow {

inline constexpr size_t kBufferAlignment = 64;  // bytes: a cache line, and a vector register of 512 bits

// Steps [first, last], both included.
struct Steps {
  int first = 0, last = 0;
};

struct BufferNeed {
  size_t bytes = 0;
  std::vector<Steps> live;  // more than one where the content does not matter in between
};

struct Placement {
  std::vector<size_t> offsets;  // multiples of kBufferAlignment
  size_t bytes = 0;             // of the arena
};

// Greedy: the largest buffer first, each into the smallest gap that holds it among those it meets in time.
Placement place(std::span<const BufferNeed> buffers);

}  // namespace resflow
