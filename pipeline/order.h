// The order in which an epoch visits the samples.
#pragma once

#include <cstdint>
#include <vector>

namespace resflow {

// A permutation of [0, samples) that depends on (seed, epoch) only: Fisher-Yates over keyed draws.
std::vector<int64_t> epoch_order(int64_t samples, uint64_t seed, uint64_t epoch);

}  // namespace resflow
