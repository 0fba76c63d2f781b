// Convolutions as ops on the kernels of winograd.h, beside the direct ones of conv.h and folded_conv.h. Internal to
// ops/: make_conv and make_folded_conv choose.
//
// Layouts  the source's layout if the kernels can read it, else the one that oneDNN's direct convolutions have on this
//          CPU, so that neighbours need no reorder. Layout::kChannelsLast gives nhwc.
// Storage  f32, or bf16 in nhwc, with all sums, weights and their gradient in f32.
// Weight   OIhw16i16o. If a training op has chosen another layout before, the kernels work on a copy in scratch, and
//          so they do with the gradient.
#pragma once

#include <memory>

#include "ops/conv_shape.h"
#include "ops/folded_conv.h"

namespace resflow {

// Whether such an op can be made for a CPU of this level and is faster than the direct one; in bf16 it is not where
// oneDNN multiplies in `tiles`. The same answer for the same arguments: not measured, so that runs are repeatable.
bool winograd_is_better(const ConvShape& shape, Isa isa, bool bf16 = false, bool tiles = bf16_has_tiles());

// REQUIRES: winograd_is_better, and the caller is inside of Compute::run.
std::unique_ptr<Op> make_winograd_conv(const OpContext& context, const ConvShape& shape, const Desc& src,
                                       Parameter& weight);
std::unique_ptr<Op> make_winograd_folded_conv(const OpContext& context, const FoldedConvOptions& options,
                                              const ConvShape& shape, const Desc& src, bool residual, Parameter& weight,
                                              const BatchNormParameters& norm);

}  // namespace resflow
