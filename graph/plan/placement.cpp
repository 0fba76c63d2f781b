#include "graph/plan/placement.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace resflow {
namespace {

bool meet(const BufferNeed& a, const BufferNeed& b) {
  return std::any_of(a.live.begin(), a.live.end(), [&](const Steps& x) {
    return std::any_of(b.live.begin(), b.live.end(),
                       [&](const Steps& y) { return x.first <= y.last && y.first <= x.last; });
  });
}

struct Range {
  size_t begin, end;
};

// Start of the smallest gap of at least `bytes` between `taken`, else the end of the last one.
size_t best_gap(std::vector<Range>& taken, size_t bytes) {
  std::sort(taken.begin(), taken.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  size_t best = 0, best_size = std::numeric_limits<size_t>::max(), end = 0;
  for (const Range& range : taken) {
    if (range.begin >= end + bytes && range.begin - end < best_size) {
      best = end;
      best_size = range.begin - end;
    }
    end = std::max(end, range.end);
  }
  return best_size == std::numeric_limits<size_t>::max() ? end : best;
}

}  // namespace

Placement place(std::span<const BufferNeed> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  Placement placement;
  placement.offsets.resize(buffers.size());
  std::vector<size_t> placed;
  std::vector<Range> taken;
  for (const size_t buffer : order) {
    const size_t bytes = (buffers[buffer].bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    taken.clear();
    for (const size_t other : placed)
      if (meet(buffers[buffer], buffers[other]))
        taken.push_back({placement.offsets[other], placement.offsets[other] + buffers[other].bytes});
    for (Range& range : taken) range.end = (range.end + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    placement.offsets[buffer] = best_gap(taken, bytes);
    placement.bytes = std::max(placement.bytes, placement.offsets[buffer] + bytes);
    placed.push_back(buffer);
  }
  return placement;
}

}  // namespace resflow
