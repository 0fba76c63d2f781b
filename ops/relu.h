// dst = max(src, 0). Any shape and layout; both directions may run in place. Backward reads dst.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

std::unique_ptr<Op> make_relu(const OpContext& context, const Desc& src);

}  // namespace resflow
