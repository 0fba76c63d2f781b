// The buffers of a plan and the steps that use them, from which their lifetimes follow.
#pragma once

#include <cstddef>
#include <vector>

#include "graph/plan/placement.h"

namespace resflow {

using BufferId = int;
inline constexpr BufferId kNoBuffer = -1;

class BufferTable {
 public:
  // A buffer is live from its first use to its last.
  BufferId add(size_t bytes);
  // A scratch buffer is live at the steps that use it and free in between.
  BufferId add_scratch(size_t bytes);
  void use(BufferId buffer, int step);

  int first_use(BufferId buffer) const;
  int last_use(BufferId buffer) const;
  // The buffers that hold values over from `step` to a later one: used at `step` or before, and again after it. Merged
  // buffers are named once.
  std::vector<BufferId> live_after(int step) const;
  // From now on `other` is the same place as `buffer`.
  void merge(BufferId buffer, BufferId other);

  // Placed once every use is known; offset_of tells where.
  void place();
  size_t bytes() const { return placement_.bytes; }
  size_t offset_of(BufferId buffer) const;
  size_t bytes_of(BufferId buffer) const;
  // The same for merged buffers, different for others.
  BufferId place_of(BufferId buffer) const { return root(buffer); }

 private:
  struct Entry {
    size_t bytes = 0;
    bool scratch = false;
    std::vector<int> uses = {};  // steps
    BufferId same_as = kNoBuffer;
  };
  BufferId root(BufferId buffer) const;

  std::vector<Entry> entries_;
  Placement placement_;
};

}  // namespace resflow
