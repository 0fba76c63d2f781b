// 2-D convolution without bias, as torch.nn.Conv2d(bias=False): its gradients in training, the plain product otherwise.
//
// Shapes   src (N,Ci,H,W); weight (Co, Ci/groups, K, K) of torchvision's checkpoints; dst (N,Co,OH,OW),
//          OH = (H + 2 pad - dilation (K-1) - 1) / stride + 1.
// Saves    nothing; backward reads src where the weight is trained.
// Weight   the first training op to see a Parameter gives its value the layout that forward wants. Later ones
//          (another batch size) take the value as it lies and reorder in their scratch where they must.
// Throws   Error{kUsage} where the options do not divide the channels or the window does not fit.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

struct ConvOptions {
  int64_t kernel = 1, stride = 1, pad = 0;
  int64_t dilation = 1;  // 1 is a dense kernel, as in PyTorch
  int64_t groups = 1;
};

std::unique_ptr<Op> make_conv(const OpContext& context, const ConvOptions& options, const Desc& src, Parameter& weight);

}  // namespace resflow
