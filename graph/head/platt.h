// Platt scaling: decision values of a classifier to probabilities.
#pragma once

#include <cstdint>
#include <span>

namespace resflow {

// P(positive | x) = 1 / (1 + exp(a x + b)).
struct PlattSigmoid {
  double a = 0, b = 0;
};

// Fitted by maximum likelihood with Platt's targets, (N+ + 1) / (N+ + 2) and 1 / (N- + 2), which keep it from
// certainty: Newton's method with backtracking, as Lin, Lin and Weng 2007, "A note on Platt's probabilistic outputs for
// support vector machines", Machine Learning 68. Both spans are of one size.
PlattSigmoid fit_platt(std::span<const double> decision_values, std::span<const uint8_t> positive);

}  // namespace resflow
