#include "pipeline/pixels/beta.h"

#include <cmath>

namespace resflow {
namespace {

// Of (0, 1]: its logarithm is finite.
double positive_uniform(Draw& draw) { return 1.0 - draw.uniform(); }

// Marsaglia's polar method; the second number of the pair is not kept, so that a draw has no state but its place.
double draw_normal(Draw& draw) {
  for (;;) {
    const double x = draw.uniform(-1, 1), y = draw.uniform(-1, 1);
    const double square = x * x + y * y;
    if (square > 0 && square < 1) return x * std::sqrt(-2 * std::log(square) / square);
  }
}

// The logarithm of a Gamma(shape, 1).
double draw_log_gamma(double shape, Draw& draw) {
  // Below 1 the method does not hold: Gamma(shape) = Gamma(shape + 1) * U^(1 / shape).
  if (shape < 1) {
    const double power = std::log(positive_uniform(draw)) / shape;
    return draw_log_gamma(shape + 1, draw) + power;
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draw_normal(draw);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(positive_uniform(draw)) < x * x / 2 + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

double draw_beta(double alpha, Draw& draw) {
  const double first = draw_log_gamma(alpha, draw);
  const double second = draw_log_gamma(alpha, draw);
  return 1 / (1 + std::exp(second - first));
}

}  // namespace resflow
