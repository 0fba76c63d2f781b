#include "apps/logits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace resflow {

std::vector<double> softmax(std::span<const float> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p(logits.size());
  std::transform(logits.begin(), logits.end(), p.begin(),
                 [&](float x) { return std::exp(static_cast<double>(x) - largest); });
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

std::vector<int> top_classes(std::span<const double> values, int k) {
  std::vector<int> classes(values.size());
  std::iota(classes.begin(), classes.end(), 0);
  std::partial_sort(classes.begin(), classes.begin() + k, classes.end(), [&](int a, int b) {
    const double x = values[static_cast<size_t>(a)], y = values[static_cast<size_t>(b)];
    return x > y || (x == y && a < b);
  });
  classes.resize(static_cast<size_t>(k));
  return classes;
}

}  // namespace resflow
