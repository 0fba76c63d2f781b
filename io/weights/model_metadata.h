// What a checkpoint says beside its tensors, as the (key, text) pairs that safetensors and ONNX files carry.
//
//   architecture    resnet34
//   options         {"groups":32,"width_per_group":4}, only what is not the architecture's own: the other members of
//                   ModelDescription by their names
//   classes         ["ant","bee"]
//   preprocessing   {"resize":256,"crop":224,"mean":[0.485,0.456,0.406],"std":[...],"interpolation":"bilinear"}
//   head            {"kind":"one_vs_rest","platt_a":[-1.5,...],"platt_b":[0.2,...]}, only where it is not softmax
//   quantization    {"pictures":256,"activations":[["input",-2.1,2.6],["conv1",0,7.25],...]}, only of a quantized model
//   provenance      [["weights","resnet34:IMAGENET1K_V1"],["made by","resflow 0.1.0"]]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/checkpoint/checkpoint.h"

namespace resflow {

using Texts = std::vector<std::pair<std::string, std::string>>;

// Every part is optional: a file may name its model and not its classes.
struct ModelMetadata {
  std::optional<ModelDescription> model;  // num_classes is not written: it is that of the tensors
  std::optional<std::vector<std::string>> classes;
  std::optional<Preprocessing> preprocessing;
  Head head = {};
  std::optional<Quantization> quantization = {};
  Texts provenance;
};

// Everything of that kind that `checkpoint` says.
ModelMetadata metadata_of(const Checkpoint& checkpoint);

// The pairs, in the order above. Bytes of a name that are no UTF-8 become U+FFFD, because JSON cannot hold them.
Texts to_texts(const ModelMetadata& metadata);

// True for the keys above.
bool is_model_key(std::string_view key);

// A text that to_texts() would not write comes from another program: it is left out, and its key is added to `foreign`.
// Throws Error{kData} for an interpolation that resflow does not do, and for a network that it cannot build.
ModelMetadata from_texts(const Texts& texts, std::vector<std::string>* foreign = nullptr);

}  // namespace resflow
