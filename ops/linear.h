// dst = src weight^T + bias, as torch.nn.Linear.
//
// Shapes   src (N,Ci) or (N,Ci,1,1); weight (Co,Ci); bias (Co); dst (N,Co), row-major.
// Saves    nothing; backward reads src where the weight is trained. The weight's layout: as in conv.h.
#pragma once

#include <memory>

#include "ops/op.h"

namespace resflow {

std::unique_ptr<Op> make_linear(const OpContext& context, const Desc& src, Parameter& weight, Parameter& bias);

}  // namespace resflow
