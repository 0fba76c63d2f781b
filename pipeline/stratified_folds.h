// Which fold of a cross validation each sample is held out in.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace resflow {

// A fold in [0, folds) for each label. Two folds differ by one sample at most in size, and by one sample of each class
// at most. Which samples come into which fold is drawn with `seed`. REQUIRES: folds >= 1.
std::vector<int> stratified_folds(std::span<const int32_t> labels, int folds, uint64_t seed);

}  // namespace resflow
