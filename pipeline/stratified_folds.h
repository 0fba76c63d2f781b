// Which fold of a cross validation each sample is held out in.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace resflow {

// A fold in [0, folds) for each label: of each class every fold gets as many, give or take one, and all folds are of
// one size, give or take one. Which ones is drawn with `seed`. REQUIRES: folds >= 1.
std::vector<int> stratified_folds(std::span<const int32_t> labels, int folds, uint64_t seed);

}  // namespace resflow
