// Which nodes of a Graph run as one op.
//
// Training    batch norm [+ add] [+ ReLU]
// Inference   convolution + batch norm [+ add] [+ ReLU]; a batch norm without a convolution before it as in training
//
// A node joins its only input's op where nobody else reads that input. An add joins the op of its first input;
// the second one is the residual.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace resflow {

struct FusedNode {
  NodeId first = 0;         // the node that computes and names the op
  NodeId batch_norm = -1;   // folded into the convolution `first`
  bool residual = false;    // the last input is added
  bool relu = false;        // after all else
  NodeId last = 0;          // the node whose value comes out
  std::vector<int> inputs;  // positions in the list of FusedNodes
};

// In an order in which inputs come first.
std::vector<FusedNode> fuse(const Graph& graph, bool training);

}  // namespace resflow
