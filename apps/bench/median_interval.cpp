#include "apps/bench/median_interval.h"
#include "io/core/median.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace resflow {
namespace {

// P(B < k) of a binomial B with n and 1/2.
double binomial_below(size_t n, size_t k) {
  double term = std::pow(0.5, static_cast<double>(n)), sum = 0;
  for (size_t i = 0; i < k; ++i) {
    sum += term;
    term *= static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return sum;
}

}  // namespace

MedianInterval median_interval(std::vector<double> values, double wanted) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  MedianInterval result;
  result.median = median(values);
  size_t k = 1;
  while (2 * (k + 1) <= n && 1 - 2 * binomial_below(n, k + 1) >= wanted) ++k;
  result.low = values[k - 1];
  result.high = values[n - k];
  result.coverage = n == 1 ? 0 : 1 - 2 * binomial_below(n, k);
  return result;
}

}  // namespace resflow
