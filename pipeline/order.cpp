#include "pipeline/order.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "io/core/error.h"
#include "pipeline/pixels/random.h"

namespace resflow {

std::vector<int64_t> epoch_order(int64_t samples, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(samples));
  std::iota(order.begin(), order.end(), 0);
  Draw draw(seed, epoch, 0, DrawFor::kOrder);
  for (int64_t i = samples - 1; i > 0; --i)
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(draw.integer(0, i))]);
  return order;
}

std::vector<int64_t> weighted_order(std::span<const double> weights, uint64_t seed, uint64_t epoch) {
  std::vector<double> up_to(weights.size());  // the sum of the weights, own included
  std::partial_sum(weights.begin(), weights.end(), up_to.begin());
  std::vector<int64_t> order(weights.size());
  Draw draw(seed, epoch, 0, DrawFor::kWeightedOrder);
  for (int64_t& sample : order) {
    // Below the total, so that the first sum above it exists; one that its own weight did not raise is never that.
    const double at = draw.uniform(0, up_to.back());
    sample = std::upper_bound(up_to.begin(), up_to.end(), at) - up_to.begin();
  }
  return order;
}

void check_weights(std::span<const double> weights, int64_t samples) {
  if (static_cast<int64_t>(weights.size()) != samples)
    throw usage_error("{} weights for {} samples: wanted one for each", weights.size(), samples);
  for (size_t i = 0; i < weights.size(); ++i)
    if (!(weights[i] >= 0 && std::isfinite(weights[i])))
      throw usage_error("sample {} has weight {}: wanted a number from 0 up", i, weights[i]);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!weights.empty() && !(sum > 0 && std::isfinite(sum)))
    throw usage_error("the weights of all {} samples sum to {}: wanted a number above 0", samples, sum);
}

std::vector<double> balanced_weights(const Dataset& dataset) {
  const std::vector<int64_t> counts = class_sizes(dataset);
  std::vector<double> weights;
  weights.reserve(dataset.samples.size());
  for (const Sample& sample : dataset.samples)
    weights.push_back(1.0 / static_cast<double>(counts[static_cast<size_t>(sample.label)]));
  return weights;
}

}  // namespace resflow
