#include "graph/head/probabilities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace resflow {

namespace {

// exp(x_k) / sum_j exp(x_j)
template <class T>
std::vector<double> normalized(std::span<const T> logarithms) {
  const double largest = *std::max_element(logarithms.begin(), logarithms.end());
  std::vector<double> p(logarithms.size());
  std::transform(logarithms.begin(), logarithms.end(), p.begin(),
                 [&](T x) { return std::exp(static_cast<double>(x) - largest); });
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace

std::vector<double> softmax(std::span<const float> logits) { return normalized(logits); }

std::vector<double> probabilities(std::span<const float> outputs, const Head& head) {
  if (head.kind == Head::Kind::kSoftmax) return softmax(outputs);
  // In logarithms, log q = -log(1 + exp(t)), because for a picture that all classes reject each q may be too small for
  // a number.
  std::vector<double> log_q(outputs.size());
  for (size_t k = 0; k < outputs.size(); ++k) {
    const double t = head.platt_a[k] * static_cast<double>(outputs[k]) + head.platt_b[k];
    log_q[k] = t > 0 ? -t - std::log1p(std::exp(-t)) : -std::log1p(std::exp(t));
  }
  return normalized<double>(log_q);
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
