#include "graph/model/graph.h"

#include <algorithm>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

size_t inputs_wanted(const NodeKind& kind) {
  if (std::holds_alternative<InputNode>(kind)) return 0;
  return std::holds_alternative<AddNode>(kind) ? 2 : 1;
}

// Size of one side after a window of `kernel` taps, `dilation` apart, slid by `stride`.
int64_t windows(int64_t side, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation) {
  const int64_t reach = dilation * (kernel - 1) + 1;
  return side + 2 * pad < reach ? 0 : (side + 2 * pad - reach) / stride + 1;
}

void check_channels(const Node& node, int64_t got, int64_t wanted) {
  if (got != wanted) throw internal_error("{}: input has {} channels, wanted {}", node.name, got, wanted);
}

Dims shape_of(const Node& node, const std::vector<Dims>& shapes, int64_t height, int64_t width) {
  const auto src = [&](size_t i) -> const Dims& { return shapes[static_cast<size_t>(node.inputs[i])]; };
  return std::visit(
      Overloaded{
          [&](const InputNode& n) {
            return Dims{n.channels, height, width};
          },
          [&](const ConvNode& n) {
            check_channels(node, src(0)[0], n.in);
            return Dims{n.out, windows(src(0)[1], n.kernel, n.stride, n.pad, n.dilation),
                        windows(src(0)[2], n.kernel, n.stride, n.pad, n.dilation)};
          },
          [&](const BatchNormNode& n) {
            check_channels(node, src(0)[0], n.channels);
            return src(0);
          },
          [&](const GroupNormNode& n) {
            check_channels(node, src(0)[0], n.channels);
            return src(0);
          },
          [&](const ReluNode&) { return src(0); },
          [&](const MaxPoolNode& n) {
            return Dims{src(0)[0], windows(src(0)[1], n.kernel, n.stride, n.pad, 1),
                        windows(src(0)[2], n.kernel, n.stride, n.pad, 1)};
          },
          [&](const GlobalAvgPoolNode&) {
            return Dims{src(0)[0], 1, 1};
          },
          [&](const AddNode&) {
            if (src(0) != src(1))
              throw internal_error("{}: adds {} and {}", node.name, to_string(src(0)), to_string(src(1)));
            return src(0);
          },
          [&](const PadShortcutNode& n) {
            check_channels(node, src(0)[0], n.in);
            return Dims{n.out, windows(src(0)[1], 1, n.stride, 0, 1), windows(src(0)[2], 1, n.stride, 0, 1)};
          },
          [&](const LinearNode& n) {
            check_channels(node, src(0)[0], n.in);
            return Dims{n.out};
          },
      },
      node.kind);
}

}  // namespace

std::string kind_name(const NodeKind& kind) {
  return std::visit(
      Overloaded{[](const InputNode&) { return "input"; }, [](const ConvNode&) { return "conv"; },
                 [](const BatchNormNode&) { return "batch_norm"; }, [](const GroupNormNode&) { return "group_norm"; },
                 [](const ReluNode&) { return "relu"; }, [](const MaxPoolNode&) { return "max_pool"; },
                 [](const GlobalAvgPoolNode&) { return "global_avg_pool"; }, [](const AddNode&) { return "add"; },
                 [](const PadShortcutNode&) { return "pad_shortcut"; }, [](const LinearNode&) { return "linear"; }},
      kind);
}

bool has_weight_and_bias(const NodeKind& kind) {
  return std::holds_alternative<BatchNormNode>(kind) || std::holds_alternative<GroupNormNode>(kind) ||
         std::holds_alternative<LinearNode>(kind);
}

NodeId Graph::add(std::string name, NodeKind kind, std::vector<NodeId> inputs) {
  const auto id = static_cast<NodeId>(nodes_.size());
  if (inputs.size() != inputs_wanted(kind))
    throw internal_error("{}: has {} inputs, wanted {}", name, inputs.size(), inputs_wanted(kind));
  if (std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) { return input < 0 || input >= id; }))
    throw internal_error("{}: reads a node that is not there yet", name);
  nodes_.push_back({std::move(name), kind, std::move(inputs)});
  return id;
}

std::vector<std::vector<NodeId>> Graph::readers() const {
  std::vector<std::vector<NodeId>> readers(nodes_.size());
  for (size_t id = 0; id < nodes_.size(); ++id)
    for (const NodeId input : nodes_[id].inputs) readers[static_cast<size_t>(input)].push_back(static_cast<NodeId>(id));
  return readers;
}

std::vector<Dims> Graph::shapes(int64_t height, int64_t width) const {
  std::vector<Dims> shapes;
  shapes.reserve(nodes_.size());
  for (const Node& node : nodes_) {
    shapes.push_back(shape_of(node, shapes, height, width));
    if (element_count(shapes.back()) < 1)
      throw usage_error("{}: nothing is left of a {}x{} image here; take a larger one", node.name, height, width);
  }
  return shapes;
}

std::vector<ParameterSpec> Graph::parameters() const {
  std::vector<ParameterSpec> specs;
  for (const Node& node : nodes_) {
    if (const auto* conv = std::get_if<ConvNode>(&node.kind)) {
      // As torch counts it: groups share the outputs, yet fan_out takes them all.
      specs.push_back({.name = node.name + ".weight",
                       .dims = {conv->out, conv->in / conv->groups, conv->kernel, conv->kernel},
                       .init = Init::kKaimingNormal,
                       .fan = conv->out * conv->kernel * conv->kernel});
    } else if (const auto* bn = std::get_if<BatchNormNode>(&node.kind)) {
      const Dims dims = {bn->channels};
      specs.push_back({.name = node.name + ".weight", .dims = dims, .init = Init::kOnes});
      specs.push_back({.name = node.name + ".bias", .dims = dims});
      specs.push_back({.name = node.name + ".running_mean", .dims = dims, .learnt = false});
      specs.push_back({.name = node.name + ".running_var", .dims = dims, .init = Init::kOnes, .learnt = false});
      specs.push_back({.name = node.name + ".num_batches_tracked", .dims = {}, .learnt = false, .dtype = DType::kI64});
    } else if (const auto* gn = std::get_if<GroupNormNode>(&node.kind)) {
      specs.push_back({.name = node.name + ".weight", .dims = {gn->channels}, .init = Init::kOnes});
      specs.push_back({.name = node.name + ".bias", .dims = {gn->channels}});
    } else if (const auto* linear = std::get_if<LinearNode>(&node.kind)) {
      specs.push_back({.name = node.name + ".weight",
                       .dims = {linear->out, linear->in},
                       .init = Init::kUniform,
                       .fan = linear->in});
      specs.push_back({.name = node.name + ".bias", .dims = {linear->out}, .init = Init::kUniform, .fan = linear->in});
    }
  }
  for (ParameterSpec& spec : specs)
    if (std::find(zero_init_.begin(), zero_init_.end(), spec.name) != zero_init_.end()) spec.init = Init::kZeros;
  return specs;
}

int64_t multiply_adds(const Node& node, const Dims& dst) {
  if (const auto* conv = std::get_if<ConvNode>(&node.kind))
    return element_count(dst) * conv->in / conv->groups * conv->kernel * conv->kernel;
  if (const auto* linear = std::get_if<LinearNode>(&node.kind)) return linear->in * linear->out;
  return 0;
}

int64_t multiply_adds(const Graph& graph, int64_t height, int64_t width) {
  const std::vector<Dims> shapes = graph.shapes(height, width);
  int64_t sum = 0;
  for (size_t id = 0; id < shapes.size(); ++id) sum += multiply_adds(graph.nodes()[id], shapes[id]);
  return sum;
}

}  // namespace resflow
