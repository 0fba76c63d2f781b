// k-fold cross validation: the same pictures, divided k times into what is learnt from and what is checked with.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/training_data.h"

namespace resflow {

// Fold i validates with its k-th of `all`'s training pictures and trains on the rest. Stratified: a class's pictures
// are dealt to the folds in turn, in an order that depends on `seed` alone; the dealing goes on from class to class, so
// that folds differ by one picture at most. Pictures keep their order. Throws Error{kUsage} for fewer than two folds,
// or more than the smallest class has pictures.
std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed);

}  // namespace resflow
