// Batch normalization per channel [+ residual] [+ ReLU]: dst = relu(weight (src - mean) / sqrt(var + eps) + bias +
// residual).
//
// Shapes   src, residual, dst (N,C,H,W); the parameters (C).
// Training statistics of the batch, normalized with the biased variance. Running statistics:
//          r = (1-m) r + m batch, with the unbiased variance n/(n-1); num_batches_tracked counts forwards.
// Frozen   in training with running_mean.frozen: the running statistics, as constants that stay as they are.
// Inference (context.training false): the running statistics.
// Saves    batch mean and 1/sqrt(var + eps). Backward reads src; with a residual and a ReLU it reads dst too
//          (the sign of dst is the mask; without a residual the mask is computed again from src).
// Grads    diff_src[1], the residual's, is diff_dst under the mask.
// Source   Ioffe & Szegedy 2015, arXiv:1502.03167, Algorithm 1.
#pragma once

#include <memory>
#include <vector>

#include "ops/op.h"

namespace resflow {

struct BatchNormOptions {
  double eps = 1e-5, momentum = 0.1;
  bool relu = false;  // fused after all else
};

struct BatchNormParameters {
  Parameter& weight;
  Parameter& bias;
  Parameter& running_mean;
  Parameter& running_var;
  Parameter& num_batches_tracked;
};

// One source, or two: the second is a residual that is added before the ReLU.
std::unique_ptr<Op> make_batch_norm(const OpContext& context, const BatchNormOptions& options,
                                    const std::vector<Desc>& srcs, const BatchNormParameters& parameters);

}  // namespace resflow
