// k-fold cross validation: the same pictures, divided k times into what is learnt from and what is checked with.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/data/training_data.h"

namespace resflow {

// Divides the training pictures of `all` into `folds` parts. Fold i validates with part i and trains on the others.
// Pictures keep their order. Throws Error{kUsage} for fewer than two folds, and for more than the smallest class
// has\n// pictures.
std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed);

}  // namespace resflow
