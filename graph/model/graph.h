// The structure of a network: nodes, edges, names and options. No layout, no memory, no batch size, so one
// Graph serves a Plan for training, one for evaluation and several for scoring.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "io/core/array.h"

namespace resflow {

// Node kinds. Parameter names are the node's name + ".weight" and so on, as in torchvision.
struct InputNode {
  int64_t channels = 3;
};
struct ConvNode {  // without bias: batch norm follows
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1, pad = 0, dilation = 1, groups = 1;
};
struct BatchNormNode {
  int64_t channels = 0;
  double eps = 1e-5, momentum = 0.1;
};
struct GroupNormNode {  // without running statistics
  int64_t channels = 0, groups = 1;
  double eps = 1e-5;
};
struct ReluNode {};
struct MaxPoolNode {
  int64_t kernel = 3, stride = 2, pad = 1;
};
struct GlobalAvgPoolNode {};
struct AddNode {};  // of two inputs with the same shape
// Every `stride`th pixel of both sides; (out - in) / 2 channels of zeros before, the rest behind.
struct PadShortcutNode {
  int64_t in = 0, out = 0, stride = 1;
};
struct LinearNode {
  int64_t in = 0, out = 0;
};
using NodeKind = std::variant<InputNode, ConvNode, BatchNormNode, GroupNormNode, ReluNode, MaxPoolNode,
                              GlobalAvgPoolNode, AddNode, PadShortcutNode, LinearNode>;

using NodeId = int;  // position in Graph::nodes(); inputs always have smaller ids

struct Node {
  std::string name;
  NodeKind kind;
  std::vector<NodeId> inputs;
};

// "conv", "batch_norm", ... for reports.
std::string kind_name(const NodeKind& kind);

// True of the norms and the linear layer.
bool has_weight_and_bias(const NodeKind& kind);

// How a parameter starts (graph/model/init.h).
enum class Init { kZeros, kOnes, kKaimingNormal, kUniform };

struct ParameterSpec {
  std::string name;
  Dims dims;
  Init init = Init::kZeros;
  int64_t fan = 1;            // kKaimingNormal: fan_out; kUniform: fan_in
  bool learnt = true;         // false: a buffer
  DType dtype = DType::kF32;  // kI64: num_batches_tracked, a scalar
};

class Graph {
 public:
  // Throws Error{kInternal} where an input does not exist yet, or there are too many or few of them.
  NodeId add(std::string name, NodeKind kind, std::vector<NodeId> inputs);

  const std::vector<Node>& nodes() const { return nodes_; }
  NodeId output() const { return static_cast<NodeId>(nodes_.size()) - 1; }
  // Readers of each node, in order.
  std::vector<std::vector<NodeId>> readers() const;
  // (C,H,W) of every node for an input of height x width; (C) after the linear one. Throws Error{kUsage}
  // where it is too small, Error{kInternal} where channels do not match.
  std::vector<Dims> shapes(int64_t height, int64_t width) const;
  // In the order of torchvision's state_dict; buffers included.
  std::vector<ParameterSpec> parameters() const;

  // ResNet starts the last BN weight of each residual branch at zero where asked.
  void zero_init(const std::string& parameter) { zero_init_.push_back(parameter); }

 private:
  std::vector<Node> nodes_;
  std::vector<std::string> zero_init_;
};

template <class Kind>
bool has_nodes(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const Node& node) { return std::holds_alternative<Kind>(node.kind); });
}

// Multiply-adds of convolutions and the linear layer for one image; other nodes are not counted.
int64_t multiply_adds(const Node& node, const Dims& dst);
int64_t multiply_adds(const Graph& graph, int64_t height, int64_t width);

}  // namespace resflow
