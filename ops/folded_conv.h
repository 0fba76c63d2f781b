// Convolution + batch norm (running statistics) [+ residual] [+ ReLU] as one primitive, for inference.
//
//   dst = relu(conv(src, w g) + (bias - mean g) + residual),  g = weight / sqrt(var + eps)
//
// Shapes   as conv.h; residual as dst; the batch norm's parameters (Co).
// Copies   holds folded weights and bias of its own; refresh() brings them up to date with the Parameters.
// Residual where there is one it is src[1], and dst must start as it (Requirements::dst_is_last_src).
// Storage  context.src_storage and dst_storage ask for f32, bf16 or 8 bits; the requirements say f32 all the same where
//          oneDNN has no optimized code for the other. 8 bits: weights are s8, with a scale an output channel of the
//          folded ones, the bias is f32; a ReLU wants a dst of u8, which clips at zero by itself.
#pragma once

#include <memory>

#include "ops/batch_norm.h"
#include "ops/conv.h"

namespace resflow {

struct FoldedConvOptions {
  ConvOptions conv;
  double eps = 1e-5;
  bool relu = false;
};

// `residual` is the descriptor of the second source as its producer has it, null where there is none.
// `norm.num_batches_tracked` is not read.
std::unique_ptr<Op> make_folded_conv(const OpContext& context, const FoldedConvOptions& options, const Desc& src,
                                     const Desc* residual, Parameter& weight, const BatchNormParameters& norm);

}  // namespace resflow
