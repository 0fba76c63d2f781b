// Static division of work in the compute arena. Internal to ops/.
#pragma once

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>

#include <algorithm>
#include <cstdint>

namespace resflow {

struct Range {
  int64_t begin = 0, end = 0;
};

// Part `index` of `parts` nearly equal ones of [0, size).
inline Range part_of(int64_t size, int64_t index, int64_t parts) {
  return {size * index / parts, size * (index + 1) / parts};
}

// f(index) for index in [0, parts), at once. Which thread runs a part does not matter to the result, so sums over
// parts are the same for the same number of parts. REQUIRES: called inside Compute::run.
template <class F>
void parallel_parts(int parts, const F& f) {
  if (parts == 1) {
    f(0);
    return;
  }
  tbb::parallel_for(0, parts, 1, f, tbb::static_partitioner());
}

}  // namespace resflow
