// Group normalization [+ residual] [+ ReLU]: dst = relu(weight (src - mean) / sqrt(var + eps) + bias + residual), with
// mean and biased variance of a picture's group of channels.
//
// Shapes   src, residual, dst (N,C,H,W); weight, bias (C). `groups` divides C; a group has C / groups channels that
//          follow each other.
// The same in training and inference: there are no running statistics, and pictures do not know each other.
// Saves    mean and 1/sqrt(var + eps) of each picture's channels. Backward reads src; with a residual and a ReLU dst
// too
//          (the sign of dst is the mask; without a residual the mask is computed again from src).
// Grads    diff_src[1], the residual's, is diff_dst under the mask.
// Source   Wu & He 2018, arXiv:1803.08494.
#pragma once

#include <memory>
#include <vector>

#include "ops/op.h"

namespace resflow {

struct GroupNormOptions {
  int64_t groups = 32;
  double eps = 1e-5;
  bool relu = false;  // fused after all else
};

// One source, or two: the second is a residual that is added before the ReLU. Data are f32, in training bf16 where the
// context stores dst so.
std::unique_ptr<Op> make_group_norm(const OpContext& context, const GroupNormOptions& options,
                                    const std::vector<Desc>& srcs, Parameter& weight, Parameter& bias);

}  // namespace resflow
