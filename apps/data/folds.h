// k-fold cross validation: the same pictures, divided k times into what is learnt from and what is checked with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "apps/data/training_data.h"

namespace resflow {

// A fold in [0, folds) for each label: of each class every fold gets as many, give or take one, and all folds are of
// one size, give or take one. Which ones is drawn with `seed`. REQUIRES: folds >= 1.
std::vector<int> stratified_folds(std::span<const int32_t> labels, int folds, uint64_t seed);

// Fold i validates with its k-th of `all`'s training pictures, divided so, and trains on the rest. Pictures keep their
// order. Throws Error{kUsage} for fewer than two folds, or more than the smallest class has pictures.
std::vector<TrainingData> make_folds(const TrainingData& all, int folds, uint64_t seed);

}  // namespace resflow
