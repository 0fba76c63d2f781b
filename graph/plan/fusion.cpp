#include "graph/plan/fusion.h"

#include <algorithm>

#include "io/core/error.h"

namespace resflow {
namespace {

class Fuser {
 public:
  Fuser(const Graph& graph, const std::vector<bool>& inference)
      : nodes_(graph.nodes()), readers_(graph.readers()), inference_(inference) {}

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

  bool runs_as_inference(NodeId id) const { return inference_[static_cast<size_t>(id)]; }

  // The node that alone reads `id` and may join its op, else -1.
  NodeId only_reader(NodeId id) const {
    const auto& readers = readers_[static_cast<size_t>(id)];
    return readers.size() == 1 && runs_as_inference(readers[0]) == runs_as_inference(id) ? readers[0] : -1;
  }

  FusedNode grow(NodeId id, std::vector<bool>& taken) const {
    FusedNode node{
        .first = id, .last = id, .inputs = nodes_[static_cast<size_t>(id)].inputs, .inference = runs_as_inference(id)};
    const auto join = [&](NodeId next) {
      node.last = next;
      taken[static_cast<size_t>(next)] = true;
    };
    NodeId next = only_reader(id);
    if (node.inference && is<ConvNode>(id) && next >= 0 && is<BatchNormNode>(next)) {
      node.batch_norm = next;
      join(next);
      next = only_reader(next);
    } else if (!is<BatchNormNode>(id) && !is<GroupNormNode>(id)) {
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
  const std::vector<bool>& inference_;
};

}  // namespace

std::vector<FusedNode> fuse(const Graph& graph, const std::vector<bool>& inference) {
  if (inference.size() != graph.nodes().size())
    throw internal_error("how {} of {} nodes run is said", inference.size(), graph.nodes().size());
  return Fuser(graph, inference).run();
}

}  // namespace resflow
