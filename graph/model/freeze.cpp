#include "graph/model/freeze.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>

#include "io/core/error.h"

namespace resflow {
namespace {

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0 || fnmatch((pattern + ".*").c_str(), name.c_str(), 0) == 0;
}

bool frozen(const Model& model, const std::string& name) { return model.parameter(name).frozen; }

// The parts of the network by their outermost names: conv1, bn1, layer1, ..., fc.
std::vector<std::string> parts_of(const Model& model) {
  std::vector<std::string> parts;
  for (const auto& parameter : model.parameters()) {
    const std::string part = parameter->name.substr(0, parameter->name.find('.'));
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  return parts;
}

bool is_fixed(const Model& model, const Node& node) {
  if (std::holds_alternative<ConvNode>(node.kind)) return frozen(model, node.name + ".weight");
  if (std::holds_alternative<LinearNode>(node.kind) || std::holds_alternative<GroupNormNode>(node.kind))
    return frozen(model, node.name + ".weight") && frozen(model, node.name + ".bias");
  if (std::holds_alternative<BatchNormNode>(node.kind))
    return frozen(model, node.name + ".weight") && frozen(model, node.name + ".bias") &&
           frozen(model, node.name + ".running_mean");
  return true;
}

}  // namespace

std::vector<std::string> freeze(Model& model, const std::vector<std::string>& patterns, FreezeBatchNorm batch_norm) {
  std::vector<bool> chosen(model.parameters().size());
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const Parameter& parameter = *model.parameters()[i];
      if (!parameter.learnt || !matches(pattern, parameter.name)) continue;
      any = chosen[i] = true;
    }
    if (!any)
      throw usage_error("no parameter of {} is called '{}' or lies in a part of that name: its parts are {}",
                        model.description().architecture, pattern, fmt::join(parts_of(model), ", "));
  }
  std::vector<std::string> names;
  bool something_left = false;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const Parameter& parameter = *model.parameters()[i];
    if (chosen[i]) names.push_back(parameter.name);
    something_left = something_left || (parameter.learnt && !chosen[i]);
  }
  if (!something_left)
    throw usage_error("'{}' freezes all of {}: wanted something left to train, fc at least",
                      fmt::join(patterns, "', '"), model.description().architecture);

  for (size_t i = 0; i < chosen.size(); ++i) model.parameters()[i]->frozen = chosen[i];
  if (batch_norm == FreezeBatchNorm::kEval)
    for (const Node& node : model.graph().nodes())
      if (std::holds_alternative<BatchNormNode>(node.kind) && frozen(model, node.name + ".weight") &&
          frozen(model, node.name + ".bias"))
        for (const char* buffer : {".running_mean", ".running_var", ".num_batches_tracked"})
          model.parameter(node.name + buffer).frozen = true;
  return names;
}

std::vector<bool> inference_nodes(const Model& model, bool training) {
  const std::vector<Node>& nodes = model.graph().nodes();
  std::vector<bool> inference(nodes.size(), !training);
  if (!training) return inference;
  for (size_t i = 0; i < nodes.size(); ++i)
    inference[i] =
        is_fixed(model, nodes[i]) && std::all_of(nodes[i].inputs.begin(), nodes[i].inputs.end(),
                                                 [&](NodeId input) { return inference[static_cast<size_t>(input)]; });
  return inference;
}

}  // namespace resflow
