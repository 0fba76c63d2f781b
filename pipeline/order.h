// The order in which an epoch visits the samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/pictures/dataset.h"

namespace resflow {

// A permutation of [0, samples) that depends on (seed, epoch) only: Fisher-Yates over keyed draws.
std::vector<int64_t> epoch_order(int64_t samples, uint64_t seed, uint64_t epoch);

// As many samples as there are weights, each drawn with a probability in proportion to its weight whatever came
// before it: torch's WeightedRandomSampler with replacement. Depends on (seed, epoch) and the weights only.
// REQUIRES: check_weights() accepts them.
std::vector<int64_t> weighted_order(std::span<const double> weights, uint64_t seed, uint64_t epoch);

// Throws Error{kUsage} unless there is a weight for each of `samples`, all finite and from 0 up, and one above 0.
void check_weights(std::span<const double> weights, int64_t samples);

// 1 / the number of pictures of its class for each sample: weighted_order() then draws all classes alike often.
// REQUIRES: every sample has a label.
std::vector<double> balanced_weights(const Dataset& dataset);

}  // namespace resflow
