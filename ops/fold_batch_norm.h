// A batch norm with running statistics, folded into the convolution before it. Internal to ops/.
#pragma once

#include <vector>

#include "io/core/array.h"
#include "ops/batch_norm.h"

namespace resflow {

struct FoldedBatchNorm {
  Array weights;            // weight g in the plain layout, g = norm.weight / sqrt(var + eps) of the output channel
  std::vector<float> bias;  // norm.bias - mean g
};

// Throws Error{kUsage} where a parameter of the norm does not have `channels` values.
void check_foldable(const BatchNormParameters& norm, int64_t channels, const std::string& conv);

// In f64: folding must not add an error of its own to every output.
FoldedBatchNorm fold_batch_norm(const Parameter& weight, const BatchNormParameters& norm, double eps,
                                const Compute& compute);

}  // namespace resflow
