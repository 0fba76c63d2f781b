// dst = a + b, of the same shape; b is wanted in the layout of a. Backward hands diff_dst to both; diff_src[0] may be
// it.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

std::unique_ptr<Op> make_add(const OpContext& context, const Desc& a, const Desc& b);

}  // namespace resflow
