// Mean over height and width: src (N,C,H,W), dst (N,C,1,1). Saves nothing.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

std::unique_ptr<Op> make_global_avg_pool(const OpContext& context, const Desc& src);

}  // namespace resflow
