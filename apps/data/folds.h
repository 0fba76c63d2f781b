// k-fold cross validation: the same pictures, divided k times into what is learnt from and what is checked with.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/data/training_data.h"

namespace resflow {

// Fold i validates with its k-th of `all`'s training pictures, divided so, and trains on the rest. Pictures keep their
// order. Throws Error{kUsage} for fewer than two folds, or more than the smallest class has pictures.
std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed);

}  // namespace resflow
