// The pooling primitive behind max_pool.h and global_avg_pool.h. Internal to ops/.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

struct PoolOptions {
  dnnl::algorithm algorithm;
  Dims kernel, stride, pad_l, pad_r;  // (height, width)
  Dims dst;                           // (N,C,OH,OW)
};

std::unique_ptr<Op> make_pool(const OpContext& context, const PoolOptions& options, const Desc& src);

}  // namespace resflow
