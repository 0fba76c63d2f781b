// Which pictures are for training, which for validation, which for a test at the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace resflow {

inline constexpr std::array<const char*, 3> kSplitParts = {"train", "val", "test"};

struct SplitPlanOptions {
  double val = 0.2, test = 0;  // parts of the whole; the rest is for training
  bool stratify = true;        // each class in these parts
  uint64_t seed = 0;
};

// The part of each sample: an index into kSplitParts. Depends on its arguments alone.
//
// `labels` are the samples' classes, `together` groups of samples that share a part (copies of one picture).
// The parts' sizes are apportioned by largest remainder, and so is, where stratified, each part among the classes
// (equal remainders in an order drawn by the seed). A class with two pictures that need not stay together has one in
// training and one in validation (of the parts asked for), with three one in each part; a class with one picture has it
// in training. Groups are indivisible, so with them a part may differ from its size by less than the largest. Throws
// Error{kUsage} for parts that are negative or leave nothing to train on.
std::vector<int> plan_split(const std::vector<int>& labels, const std::vector<std::vector<size_t>>& together,
                            const SplitPlanOptions& options);

}  // namespace resflow
