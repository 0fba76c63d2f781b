// The median of a few measurements, and between which values the median of all that could be made lies.
#pragma once

#include <vector>

namespace resflow {

// Of order statistics: from the k-th smallest to the k-th largest value, with the largest k whose coverage is at least
// what is wanted. It holds for any distribution. Six values are the fewest that reach 95 %, from their smallest to
// their largest (96.9 %); of fewer the interval is the same and `coverage` says what it is worth.
//
// Source  e.g. Conover 1999, Practical Nonparametric Statistics, 3.2: P(the median lies below the k-th smallest of n)
//         is P(B < k), B binomial with n and 1/2.
struct MedianInterval {
  double median = 0;
  double low = 0, high = 0;
  double coverage = 0;  // 0 for one value
};

// REQUIRES: values is not empty.
MedianInterval median_interval(std::vector<double> values, double wanted = 0.95);

}  // namespace resflow
