#include "graph/fusion.h"

#include <algorithm>

namespace resflow {
namespace {

class Fuser {
 public:
  Fuser(const Graph& graph, bool training) : nodes_(graph.nodes()), readers_(graph.readers()), training_(training) {}

  std::vector<FusedNode> run() {
    std::vector<FusedNode> fused;
    std::vector<bool> taken(nodes_.size());
    for (NodeId id = 0; id < static_cast<NodeId>(nodes_.size()); ++id) {
      if (taken[static_cast<size_t>(id)]) continue;
      fused.push_back(grow(id, taken));
    }
    // An op runs where its last node stood: by then the residual is there.
    std::sort(fused.begin(), fused.end(), [](const FusedNode& a, const FusedNode& b) { return a.last < b.last; });
    std::vector<int> position(nodes_.size(), -1);
    for (size_t i = 0; i < fused.size(); ++i) position[static_cast<size_t>(fused[i].last)] = static_cast<int>(i);
    for (FusedNode& node : fused)
      for (int& input : node.inputs) input = position[static_cast<size_t>(input)];
    return fused;
  }

 private:
  template <class Kind>
  bool is(NodeId id) const {
    return std::holds_alternative<Kind>(nodes_[static_cast<size_t>(id)].kind);
  }

  // The node that alone reads `id`, else -1.
  NodeId only_reader(NodeId id) const {
    const auto& readers = readers_[static_cast<size_t>(id)];
    return readers.size() == 1 ? readers[0] : -1;
  }

  FusedNode grow(NodeId id, std::vector<bool>& taken) const {
    FusedNode node{.first = id, .last = id, .inputs = nodes_[static_cast<size_t>(id)].inputs};
    const auto join = [&](NodeId next) {
      node.last = next;
      taken[static_cast<size_t>(next)] = true;
    };
    NodeId next = only_reader(id);
    if (!training_ && is<ConvNode>(id) && next >= 0 && is<BatchNormNode>(next)) {
      node.batch_norm = next;
      join(next);
      next = only_reader(next);
    } else if (!is<BatchNormNode>(id)) {
      return node;
    }
    if (next >= 0 && is<AddNode>(next)) {
      const auto& terms = nodes_[static_cast<size_t>(next)].inputs;
      if (terms[0] != node.last) return node;
      node.residual = true;
      node.inputs.push_back(terms[1]);
      join(next);
      next = only_reader(next);
    }
    if (next >= 0 && is<ReluNode>(next)) {
      node.relu = true;
      join(next);
    }
    return node;
  }

  const std::vector<Node>& nodes_;
  std::vector<std::vector<NodeId>> readers_;
  bool training_;
};

}  // namespace

std::vector<FusedNode> fuse(const Graph& graph, bool training) { return Fuser(graph, training).run(); }

}  // namespace resflow
