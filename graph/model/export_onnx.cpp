#include "graph/model/export_onnx.h"

#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "io/core/error.h"
#include "io/weights/onnx.h"
#include "io/weights/onnx_metadata.h"

namespace resflow {
namespace {

class Exporter {
 public:
  Exporter(const Model& model, const OnnxExportOptions& options)
      : model_(model),
        options_(options),
        readers_(model.graph().readers()),
        builder_(model.description().architecture, options.producer_version) {}

  void add_nodes() {
    const auto& nodes = model_.graph().nodes();
    values_.resize(nodes.size());
    for (size_t id = 0; id < nodes.size(); ++id) {
      const Node& node = nodes[id];
      values_[id] = static_cast<NodeId>(id) == model_.graph().output() ? "logits" : node.name;
      std::visit([&](const auto& kind) { add(static_cast<NodeId>(id), node, kind); }, node.kind);
    }
    builder_.add_output({.name = values_.back(), .dims = {"batch", model_.description().num_classes}});
  }

  void add_metadata(const ModelMetadata& metadata) {
    for (const auto& [key, text] : onnx_metadata(metadata)) builder_.add_metadata(key, text);
  }

  void save(const std::string& path, FileSystem& files) const { builder_.save(path, files); }

 private:
  // Nothing in the graph depends on height and width: global pooling takes any.
  void add(NodeId id, const Node& /*node*/, const InputNode& input) {
    builder_.add_input({.name = value_of(id), .dims = {"batch", input.channels, "height", "width"}});
  }

  void add(NodeId id, const Node& node, const ConvNode& conv) {
    if (const auto norm = folded_into(id)) {
      // The value of both is the batch norm's.
      add_folded(id, node, conv, *norm);
      return;
    }
    add_conv(id, node, conv, {parameter(node.name + ".weight")});
  }

  void add(NodeId id, const Node& node, const BatchNormNode& norm) {
    if (folded_into(node.inputs[0]) == id) {
      values_[static_cast<size_t>(id)] = input_of(node);
      return;
    }
    std::vector<std::string> inputs = {input_of(node)};
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      inputs.push_back(parameter(node.name + part));
    builder_.add_node({.op = "BatchNormalization",
                       .name = node.name,
                       .inputs = std::move(inputs),
                       .output = value_of(id),
                       .attributes = {{"epsilon", static_cast<float>(norm.eps)}}});
  }

  // Opset 17 has no group norm. As PyTorch writes it: instance norm of the groups, laid out as channels of one line.
  void add(NodeId id, const Node& node, const GroupNormNode& norm) {
    const auto name = [&](const char* part) { return node.name + part; };
    const std::vector<float> ones(static_cast<size_t>(norm.groups), 1), zeros(static_cast<size_t>(norm.groups), 0);
    const std::vector<int64_t> lines = {0, norm.groups, -1};
    builder_.add_initializer(name(".lines"), Array::from<int64_t>({3}, lines));
    builder_.add_initializer(name(".ones"), Array::from<float>({norm.groups}, ones));
    builder_.add_initializer(name(".zeros"), Array::from<float>({norm.groups}, zeros));
    for (const char* part : {".weight", ".bias"}) {
      const Array value = exported(name(part));
      builder_.add_initializer(name(part), Array::from<float>({norm.channels, 1, 1}, value.values<float>()));
    }
    const auto add = [&](const char* op, const std::string& output, std::vector<std::string> inputs,
                         std::vector<OnnxAttribute> attributes = {}) {
      builder_.add_node({.op = op,
                         .name = output,
                         .inputs = std::move(inputs),
                         .output = output,
                         .attributes = std::move(attributes)});
    };
    add("Shape", name(".shape"), {input_of(node)});
    add("Reshape", name(".in_lines"), {input_of(node), name(".lines")});
    add("InstanceNormalization", name(".normal_lines"), {name(".in_lines"), name(".ones"), name(".zeros")},
        {{"epsilon", static_cast<float>(norm.eps)}});
    add("Reshape", name(".normal"), {name(".normal_lines"), name(".shape")});
    add("Mul", name(".scaled"), {name(".normal"), name(".weight")});
    add("Add", value_of(id), {name(".scaled"), name(".bias")});
  }

  // Pooling a window of one pixel takes every stride-th.
  void add(NodeId id, const Node& node, const PadShortcutNode& shortcut) {
    const std::string pooled = node.name + ".pixels", pads = node.name + ".pads";
    builder_.add_node({.op = "MaxPool",
                       .name = pooled,
                       .inputs = {input_of(node)},
                       .output = pooled,
                       .attributes = {{"kernel_shape", pair(1)}, {"strides", pair(shortcut.stride)}}});
    const int64_t more = shortcut.out - shortcut.in, before = more / 2;
    const std::vector<int64_t> sizes = {0, before, 0, 0, 0, more - before, 0, 0};
    builder_.add_initializer(pads, Array::from<int64_t>({8}, sizes));
    builder_.add_node({.op = "Pad", .name = node.name, .inputs = {pooled, pads}, .output = value_of(id)});
  }

  void add(NodeId id, const Node& node, const ReluNode& /*relu*/) { add_plain("Relu", id, node); }
  void add(NodeId id, const Node& node, const AddNode& /*add*/) { add_plain("Add", id, node); }
  void add(NodeId id, const Node& node, const GlobalAvgPoolNode& /*pool*/) { add_plain("GlobalAveragePool", id, node); }

  void add(NodeId id, const Node& node, const MaxPoolNode& pool) {
    add_plain("MaxPool", id, node,
              {{"kernel_shape", pair(pool.kernel)},
               {"strides", pair(pool.stride)},
               {"pads", std::vector<int64_t>(4, pool.pad)}});
  }

  void add(NodeId id, const Node& node, const LinearNode& /*linear*/) {
    const std::string flat = node.name + ".flatten";
    builder_.add_node({.op = "Flatten",
                       .name = flat,
                       .inputs = {input_of(node)},
                       .output = flat,
                       .attributes = {{"axis", int64_t{1}}}});
    builder_.add_node({.op = "Gemm",
                       .name = node.name,
                       .inputs = {flat, parameter(node.name + ".weight"), parameter(node.name + ".bias")},
                       .output = value_of(id),
                       .attributes = {{"transB", int64_t{1}}}});
  }

  void add_plain(const char* op, NodeId id, const Node& node, std::vector<OnnxAttribute> attributes = {}) {
    std::vector<std::string> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(value_of(input));
    builder_.add_node({.op = op,
                       .name = node.name,
                       .inputs = std::move(inputs),
                       .output = value_of(id),
                       .attributes = std::move(attributes)});
  }

  void add_conv(NodeId id, const Node& node, const ConvNode& conv, const std::vector<std::string>& parameters) {
    std::vector<std::string> inputs = {input_of(node)};
    inputs.insert(inputs.end(), parameters.begin(), parameters.end());
    builder_.add_node({.op = "Conv",
                       .name = node.name,
                       .inputs = std::move(inputs),
                       .output = value_of(id),
                       .attributes = {{"kernel_shape", pair(conv.kernel)},
                                      {"strides", pair(conv.stride)},
                                      {"pads", std::vector<int64_t>(4, conv.pad)},
                                      {"dilations", pair(conv.dilation)},
                                      {"group", conv.groups}}});
  }

  // y = weight * (x - mean) / sqrt(var + eps) + bias, channel by channel of the convolution's output.
  void add_folded(NodeId id, const Node& node, const ConvNode& conv, NodeId norm_id) {
    const Node& norm = model_.graph().nodes()[static_cast<size_t>(norm_id)];
    const double eps = std::get<BatchNormNode>(norm.kind).eps;
    Array weight = exported(node.name + ".weight"), bias(DType::kF32, {conv.out});
    const Array norm_weight = exported(norm.name + ".weight"), norm_bias = exported(norm.name + ".bias"),
                mean = exported(norm.name + ".running_mean"), var = exported(norm.name + ".running_var");
    const std::span<float> weights = weight.values<float>();
    const size_t each = weights.size() / static_cast<size_t>(conv.out);
    for (size_t c = 0; c < static_cast<size_t>(conv.out); ++c) {
      const double scale = norm_weight.values<float>()[c] / std::sqrt(var.values<float>()[c] + eps);
      for (float& w : weights.subspan(c * each, each)) w = static_cast<float>(w * scale);
      bias.values<float>()[c] = static_cast<float>(norm_bias.values<float>()[c] - mean.values<float>()[c] * scale);
    }
    const std::string prefix = node.name + ".folded";
    builder_.add_initializer(prefix + ".weight", std::move(weight));
    builder_.add_initializer(prefix + ".bias", std::move(bias));
    add_conv(id, node, conv, {prefix + ".weight", prefix + ".bias"});
  }

  // The batch norm that becomes part of convolution `id`: its only reader.
  std::optional<NodeId> folded_into(NodeId id) const {
    const auto& nodes = model_.graph().nodes();
    const auto& readers = readers_[static_cast<size_t>(id)];
    if (!options_.fold_batch_norm || readers.size() != 1) return std::nullopt;
    if (!std::holds_alternative<ConvNode>(nodes[static_cast<size_t>(id)].kind)) return std::nullopt;
    if (!std::holds_alternative<BatchNormNode>(nodes[static_cast<size_t>(readers[0])].kind)) return std::nullopt;
    return readers[0];
  }

  Array exported(const std::string& name) const {
    return model_.parameter(name).value.export_to_array(model_.compute());
  }
  std::string parameter(const std::string& name) {
    builder_.add_initializer(name, exported(name));
    return name;
  }

  static std::vector<int64_t> pair(int64_t size) { return {size, size}; }
  const std::string& value_of(NodeId id) const { return values_[static_cast<size_t>(id)]; }
  const std::string& input_of(const Node& node) const { return value_of(node.inputs[0]); }

  const Model& model_;
  const OnnxExportOptions& options_;
  std::vector<std::vector<NodeId>> readers_;
  std::vector<std::string> values_;  // of nodes, one to one
  OnnxBuilder builder_;
};

}  // namespace

void export_onnx(const Model& model, ModelMetadata metadata, const OnnxExportOptions& options, const std::string& path,
                 FileSystem& files) {
  metadata.model = model.description();
  Exporter exporter(model, options);
  exporter.add_nodes();
  exporter.add_metadata(metadata);
  exporter.save(path, files);
}

}  // namespace resflow
