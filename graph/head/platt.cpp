#include "graph/head/platt.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace resflow {
namespace {

// -log likelihood of one value, for t = a x + b. Of two equal forms the one is taken whose exponential cannot overflow.
double loss(double t, double target) {
  return t >= 0 ? target * t + std::log1p(std::exp(-t)) : (target - 1) * t + std::log1p(std::exp(t));
}

// 1 / (1 + exp(t))
double probability(double t) { return t >= 0 ? std::exp(-t) / (1 + std::exp(-t)) : 1 / (1 + std::exp(t)); }

}  // namespace

PlattSigmoid fit_platt(std::span<const double> decision_values, std::span<const uint8_t> positive) {
  const size_t n = decision_values.size();
  const auto positives =
      static_cast<double>(std::count_if(positive.begin(), positive.end(), [](uint8_t p) { return p != 0; }));
  const double negatives = static_cast<double>(n) - positives;
  std::vector<double> targets(n);
  for (size_t i = 0; i < n; ++i)
    targets[i] = positive[i] != 0 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2);
  const auto objective = [&](const PlattSigmoid& s) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += loss(s.a * decision_values[i] + s.b, targets[i]);
    return sum;
  };

  constexpr int kIterations = 100;
  constexpr double kGradient = 1e-9, kSmallestStep = 1e-10, kRidge = 1e-12;
  PlattSigmoid best = {.a = 0, .b = std::log((negatives + 1) / (positives + 1))};
  double value = objective(best);
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    // H + kRidge I is positive definite.
    double h11 = kRidge, h22 = kRidge, h21 = 0, g1 = 0, g2 = 0;
    for (size_t i = 0; i < n; ++i) {
      const double x = decision_values[i], p = probability(best.a * x + best.b);
      const double curvature = p * (1 - p), slope = targets[i] - p;
      h11 += x * x * curvature;
      h22 += curvature;
      h21 += x * curvature;
      g1 += x * slope;
      g2 += slope;
    }
    if (std::max(std::abs(g1), std::abs(g2)) < kGradient * static_cast<double>(std::max<size_t>(n, 1))) break;
    const double determinant = h11 * h22 - h21 * h21;
    const double da = -(h22 * g1 - h21 * g2) / determinant, db = -(h11 * g2 - h21 * g1) / determinant;
    const double descent = g1 * da + g2 * db;
    double step = 1;
    while (step >= kSmallestStep) {
      const PlattSigmoid next = {.a = best.a + step * da, .b = best.b + step * db};
      const double next_value = objective(next);
      if (next_value < value + 1e-4 * step * descent) {
        best = next;
        value = next_value;
        break;
      }
      step /= 2;
    }
    if (step < kSmallestStep) break;  // rounding allows no better fit
  }
  return best;
}

}  // namespace resflow
