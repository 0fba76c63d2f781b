// Which nodes of a Graph run as one op.
//
// Training    batch norm [+ add] [+ ReLU]
// Inference   convolution + batch norm [+ add] [+ ReLU]; a batch norm without a convolution before it as in training
//
// A node joins its only input's op where nobody else reads that input and both run in the same way. An add joins the op
// of its first input; the second one is the residual.
#pragma once

#include <vector>

#include "graph/model/graph.h"

namespace resflow {

struct FusedNode {
  NodeId first = 0;         // the node that computes and names the op
  NodeId batch_norm = -1;   // folded into the convolution `first`
  bool residual = false;    // the last input is added
  bool relu = false;        // after all else
  NodeId last = 0;          // the node whose value comes out
  std::vector<int> inputs;  // positions in the list of FusedNodes
  bool inference = false;   // runs as in inference: nothing is kept for a backward pass, which does not reach it
};

// The fused nodes, each after its inputs. `inference` says for each node of the graph whether it runs as in inference:
// in a plan for evaluation all do, in a training plan the frozen ones that no gradient passes (graph/model/freeze.h).
std::vector<FusedNode> fuse(const Graph& graph, const std::vector<bool>& inference);

}  // namespace resflow
