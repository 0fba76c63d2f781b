// Weights of a small model, made without training: to write into files of any format.
#pragma once

#include <string>
#include <vector>

#include "graph/model/init.h"
#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/named_array.h"

namespace resflow::testing {

inline const ModelDescription kMadeModel = {.architecture = "resnet18", .num_classes = 3};

// As a new model starts, in the order of torchvision's state_dict.
inline std::vector<NamedArray> made_weights(uint64_t seed = 1, const ModelDescription& description = kMadeModel) {
  std::vector<NamedArray> weights;
  for (const ParameterSpec& spec : build_model(description).parameters())
    weights.push_back({spec.name, initial_value(spec, seed)});
  return weights;
}

inline Array& array_named(std::vector<NamedArray>& weights, const std::string& name) {
  for (NamedArray& w : weights)
    if (w.name == name) return w.array;
  throw std::runtime_error("no " + name);
}

// A checkpoint as a run leaves it: with class names, a preprocessing of its own, and an optimizer's state.
inline Checkpoint made_checkpoint(uint64_t seed = 1) {
  Checkpoint checkpoint;
  checkpoint.model = kMadeModel;
  checkpoint.classes = {"fence", "net", "pebbles"};
  checkpoint.preprocessing.resize = 54;
  checkpoint.preprocessing.crop = 48;
  checkpoint.parameters = made_weights(seed);
  checkpoint.optimizer_name = "adam";
  checkpoint.optimizer = {{"fc.bias/exp_avg", Array(DType::kF32, {3})}};
  checkpoint.training.epoch = 2;
  checkpoint.training.options = {{"--lr", "0.001"}};
  checkpoint.provenance = {{"made by", "a test"}};
  return checkpoint;
}

}  // namespace resflow::testing
