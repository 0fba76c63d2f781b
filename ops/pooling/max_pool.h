// Max pooling as torch.nn.MaxPool2d; padding counts as -inf.
//
// Shapes   src (N,C,H,W), dst (N,C,OH,OW), OH = (H + 2 pad - kernel) / stride + 1. Layout and storage are
//          those of src.
// Saves    where each maximum came from (workspace); backward reads neither src nor dst.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

struct MaxPoolOptions {
  int64_t kernel = 3, stride = 2, pad = 1;
};

std::unique_ptr<Op> make_max_pool(const OpContext& context, const MaxPoolOptions& options, const Desc& src);

}  // namespace resflow
