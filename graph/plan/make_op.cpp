#include "graph/plan/make_op.h"

#include "io/core/error.h"
#include "ops/add.h"
#include "ops/batch_norm.h"
#include "ops/conv.h"
#include "ops/folded_conv.h"
#include "ops/group_norm.h"
#include "ops/linear.h"
#include "ops/pooling/global_avg_pool.h"
#include "ops/pooling/max_pool.h"
#include "ops/pooling/pad_shortcut.h"
#include "ops/relu.h"

namespace resflow {
namespace {

BatchNormParameters batch_norm_parameters(const Model& model, const std::string& name) {
  return {.weight = model.parameter(name + ".weight"),
          .bias = model.parameter(name + ".bias"),
          .running_mean = model.parameter(name + ".running_mean"),
          .running_var = model.parameter(name + ".running_var"),
          .num_batches_tracked = model.parameter(name + ".num_batches_tracked")};
}

// One overload a kind: what the node's op is.
struct Maker {
  const OpContext& context;
  const Model& model;
  const FusedNode& fused;
  const Node& node;
  const std::vector<Desc>& srcs;

  std::unique_ptr<Op> operator()(const InputNode& /*input*/) const {
    throw internal_error("{}: an input has no op", node.name);
  }
  std::unique_ptr<Op> operator()(const ConvNode& n) const {
    const ConvOptions options = {
        .kernel = n.kernel, .stride = n.stride, .pad = n.pad, .dilation = n.dilation, .groups = n.groups};
    Parameter& weight = model.parameter(node.name + ".weight");
    if (fused.batch_norm < 0) return make_conv(context, options, srcs[0], weight);
    const Node& norm = model.graph().nodes()[static_cast<size_t>(fused.batch_norm)];
    return make_folded_conv(
        context, {.conv = options, .eps = std::get<BatchNormNode>(norm.kind).eps, .relu = fused.relu}, srcs[0],
        fused.residual ? &srcs[1] : nullptr, weight, batch_norm_parameters(model, norm.name));
  }
  std::unique_ptr<Op> operator()(const BatchNormNode& n) const {
    return make_batch_norm(context, {.eps = n.eps, .momentum = n.momentum, .relu = fused.relu}, srcs,
                           batch_norm_parameters(model, node.name));
  }
  std::unique_ptr<Op> operator()(const GroupNormNode& n) const {
    return make_group_norm(context, {.groups = n.groups, .eps = n.eps, .relu = fused.relu}, srcs,
                           model.parameter(node.name + ".weight"), model.parameter(node.name + ".bias"));
  }
  std::unique_ptr<Op> operator()(const ReluNode& /*relu*/) const { return make_relu(context, srcs[0]); }
  std::unique_ptr<Op> operator()(const MaxPoolNode& n) const {
    return make_max_pool(context, {.kernel = n.kernel, .stride = n.stride, .pad = n.pad}, srcs[0]);
  }
  std::unique_ptr<Op> operator()(const GlobalAvgPoolNode& /*pool*/) const {
    return make_global_avg_pool(context, srcs[0]);
  }
  std::unique_ptr<Op> operator()(const AddNode& /*add*/) const { return make_add(context, srcs[0], srcs[1]); }
  std::unique_ptr<Op> operator()(const PadShortcutNode& n) const {
    return make_pad_shortcut(context, {.out = n.out, .stride = n.stride}, srcs[0]);
  }
  std::unique_ptr<Op> operator()(const LinearNode& /*linear*/) const {
    return make_linear(context, srcs[0], model.parameter(node.name + ".weight"), model.parameter(node.name + ".bias"));
  }
};

}  // namespace

std::unique_ptr<Op> make_op(const OpContext& context, const Model& model, const FusedNode& fused,
                            const std::vector<Desc>& srcs) {
  const Node& node = model.graph().nodes()[static_cast<size_t>(fused.first)];
  return std::visit(Maker{context, model, fused, node, srcs}, node.kind);
}

bool is_trained(const Model& model, const FusedNode& fused) {
  const Node& node = model.graph().nodes()[static_cast<size_t>(fused.first)];
  const auto trained = [&](const char* suffix) { return !model.parameter(node.name + suffix).frozen; };
  if (std::holds_alternative<ConvNode>(node.kind)) return trained(".weight");
  if (has_weight_and_bias(node.kind)) return trained(".weight") || trained(".bias");
  return false;
}

}  // namespace resflow
