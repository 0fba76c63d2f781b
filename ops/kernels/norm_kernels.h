// The sweeps of batch and group normalization over a block of rows of channels, in several instruction sets. Data are
// floats or Bf16, what is computed from them is f32.
#pragma once

#include <cstdint>

#include "ops/kernels/simd.h"

namespace resflow {

// Rows of channels in memory that a kernel sweeps at once.
struct NormBlock {
  int64_t rows = 0, stride = 0, width = 0;
};

// Constants of the channels of a block.
struct NormChannels {
  const float *mean, *scale, *shift;  // dst = (src - mean) scale + shift
  const float *slope, *offset;        // diff_src = scale g - slope (src - mean) - offset
};

// Of each channel: number of values, their mean, and the sum of squared distances from it.
struct NormMoments {
  double *count, *mean, *squares;
};

// Where the ReLU's mask comes from: the sign of dst, or dst's value computed again from src.
enum class NormMask { kNone, kDst, kSrc };

template <class Stored>
struct NormSources {
  const Stored *src, *dst, *diff_dst;
};

template <class Stored>
struct NormKernels {
  // Joins the block's moments to those of before; the last three are room for a number a channel.
  void (*add_moments)(const NormBlock&, const Stored* src, const NormMoments&, float*, float*, float*);
  // residual may be null.
  void (*normalize)(const NormBlock&, const NormChannels&, bool relu, bool past_caches, const Stored* src,
                    const Stored* residual, Stored* dst);
  // Sums of g and g (src - mean), with g the masked gradient, which is written to diff_residual unless that is null.
  void (*block_gradient)(const NormBlock&, const NormChannels&, NormMask, const NormSources<Stored>&,
                         Stored* diff_residual, float* sum, float* product);
  void (*diff_src)(const NormBlock&, const NormChannels&, NormMask, bool past_caches, const NormSources<Stored>&,
                   Stored* out);
  void (*fence)();
};

// Of Stored float or Bf16.
template <class Stored>
NormKernels<Stored> norm_kernels(Isa isa);

}  // namespace resflow
