// Platt scaling: decision values of a classifier to probabilities.
#pragma once

#include <cstdint>
#include <span>

namespace resflow {

// P(positive | x) = 1 / (1 + exp(a x + b)).
struct PlattSigmoid {
  double a = 0, b = 0;
};

// Fits the sigmoid by maximum likelihood. The targets are Platt's, (N+ + 1) / (N+ + 2) for positive values and
// 1 / (N- + 2) for negative ones, so that it never becomes certain. Newton's method with backtracking, as in Lin, Lin
// and Weng 2007, "A note on Platt's probabilistic outputs for support vector machines", Machine Learning 68.
// REQUIRES: both spans are of one size.
PlattSigmoid fit_platt(std::span<const double> decision_values, std::span<const uint8_t> positive);

}  // namespace resflow
