// From the network's outputs for one picture, one for each class, to probabilities in f64.
#pragma once

#include <span>
#include <vector>

#include "io/checkpoint/description.h"

namespace resflow {

// As the model's head says (io/checkpoint/checkpoint.h): softmax, or the value of each class's Platt sigmoid divided by
// the sum of all.
std::vector<double> probabilities(std::span<const float> outputs, const Head& head);

// p_k = exp(x_k) / sum_j exp(x_j), safe for any finite x.
std::vector<double> softmax(std::span<const float> logits);

// The k classes of the largest values, the largest first. Classes of equal values are in their order.
// REQUIRES: k <= values.size().
std::vector<int> top_classes(std::span<const double> values, int k);

}  // namespace resflow
