#include "pipeline/order.h"

#include <cstddef>
#include <numeric>
#include <utility>

#include "pipeline/random.h"

namespace resflow {

std::vector<int64_t> epoch_order(int64_t samples, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  Draw draw(seed, epoch, 0, DrawFor::kOrder);
  for (int64_t i = samples - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(draw.integer(0, i))]);
  return order;
}

}  // namespace resflow
