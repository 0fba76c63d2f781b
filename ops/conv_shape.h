// Sizes of a convolution in the forms that oneDNN takes. Internal to ops/.
#pragma once

#include "ops/conv.h"
#include "ops/tensor.h"

namespace resflow {

struct ConvShape {
  int64_t N, Ci, H, W, Co, OH, OW;
  ConvOptions options;
  Dims src, dst;
  Dims weights;                         // with a leading dimension of groups where there are several
  Dims strides, dilates, pad_l, pad_r;  // oneDNN counts dilation from 0: 0 means a dense kernel

  // Throws Error{kUsage}, naming `name`, where src and weight (Co, Ci/groups, K, K) do not fit the options.
  ConvShape(const ConvOptions& options, const Dims& src, const Dims& weight, const std::string& name);

  int64_t multiply_adds() const;
};

}  // namespace resflow
