// Where in a file of weights a model lies: under which key, behind which prefix, among which other tensors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/model/recognise.h"
#include "io/core/named_array.h"

namespace resflow {

// A model in a file, with its head or without.
struct FoundModel {
  // A tensor of the model: `entry.name` is the model's name for it, `file_name` the file's.
  struct Taken {
    std::string file_name;
    TensorEntry entry;
  };

  std::string key;                    // of the TensorGroup that holds it
  std::string prefix;                 // stands before the model's names in the file: "module.encoder_q."
  ModelMatch match;                   // of find_models(): all that `headless` leaves of it fits
  bool headless = false;              // fc.weight and fc.bias are absent, and nothing else
  std::vector<Taken> taken;           // in the file's order
  std::vector<std::string> left_out;  // the group's other tensors by the file's names, in its order

  std::vector<TensorEntry> tensors() const;  // of `taken`
};

// Every model of the zoo that is whole in one of the groups; of `architecture` alone, where that is not empty. Those
// with a head come first; then those under state_dict, model, model_state_dict and net, those of the file's own
// dictionary, and the others in the file's order.
//
// Names may stand behind any prefix. What PyTorch's wrappers put into names (module., _orig_mod., ...) may stand
// anywhere in them, in some and not in others. A head may also be called as in other libraries (head.fc, classifier.1,
// linear), and stand beside the prefix; Hugging Face's names of a ResNet are understood. Other tensors in the group are
// left out, unless their names are those of a part of a ResNet: then the model is another one. Throws Error{kUsage} for
// an unknown architecture.
std::vector<FoundModel> find_models(std::span<const TensorGroup> groups, std::string_view architecture = {});

// Where no model is whole: what comes nearest to one, by the tensors that are there (is_nearer). `match` says what
// differs. Nothing where no name is one of a ResNet's. Throws as find_models does.
std::optional<FoundModel> nearest_model(std::span<const TensorGroup> groups, std::string_view architecture = {});

}  // namespace resflow
