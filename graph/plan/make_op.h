// From a fused node of the Graph to the op that runs it.
#pragma once

#include <memory>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/fusion.h"
#include "ops/op.h"

namespace resflow {

// `srcs` are the layouts in which the inputs' producers made them. Input nodes have no op: Error{kInternal}.
std::unique_ptr<Op> make_op(const OpContext& context, const Model& model, const FusedNode& node,
                            const std::vector<Desc>& srcs);

// True where a training op of `node` has a gradient of its own to compute: a learnt parameter that is not frozen.
bool is_trained(const Model& model, const FusedNode& node);

}  // namespace resflow
