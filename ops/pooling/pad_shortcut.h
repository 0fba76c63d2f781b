// A residual of another shape without parameters, the paper's shortcut A: every `stride`th pixel of both sides, and
// zeros in place of the channels that src does not have.
//
// Shapes   src (N,C,H,W); dst (N, out, ceil(H / stride), ceil(W / stride)); (out - C) / 2 channels of zeros stand
// before
//          src's, the rest of them behind.
// Data     any storage: values are copied as they are, and dst has the scale of src.
// Source   He et al. 2015, arXiv:1512.03385, section 4.1; how the zeros are divided: akamaster/pytorch_resnet_cifar10.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

struct PadShortcutOptions {
  int64_t out = 0, stride = 2;
};

std::unique_ptr<Op> make_pad_shortcut(const OpContext& context, const PadShortcutOptions& options, const Desc& src);

}  // namespace resflow
