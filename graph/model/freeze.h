// Freezing parts of a model: their values stay as they are while the rest is trained.
#pragma once

#include <string>
#include <vector>

#include "graph/model/model.h"

namespace resflow {

// What a batch norm does in training if its weight and its bias are both frozen.
enum class FreezeBatchNorm {
  kEval,   // normalize with their running statistics, which stay: as module.eval() beside requires_grad = False
  kTrain,  // normalize with the batch's, and go on updating the running ones: requires_grad = False alone
};

// Freezes every parameter that a pattern matches and thaws all others. A pattern is a module's or a parameter's name as
// torchvision has it, shell-like: "layer1" and "layer1.*" are all of layer1, "*.bn2" every second batch norm.
// To be called before a training Plan is made. Returns the frozen learnt parameters' names, in the model's order.
// Throws Error{kUsage} for a pattern that matches no learnt parameter, and where nothing is left to train; nothing is
// changed then.
std::vector<std::string> freeze(Model& model, const std::vector<std::string>& patterns, FreezeBatchNorm batch_norm);

// Of each node of the model's graph: does it run as in inference? In evaluation all do. In training those do that no
// gradient reaches and whose values depend on nothing that training changes: the inputs' side of the graph as far as
// everything is frozen, batch norms' statistics too. They fold and fuse as in evaluation and keep no activations.
std::vector<bool> inference_nodes(const Model& model, bool training);

}  // namespace resflow
