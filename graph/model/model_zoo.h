// The models there are by name: torchvision's, and the paper's for CIFAR. One line a model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/model/graph.h"
#include "graph/model/resnet.h"
#include "io/checkpoint/description.h"

namespace resflow {

// torchvision's, in its order.
const std::vector<std::string>& model_names();

// Those, and the paper's networks for pictures of 32 x 32: resnet20, resnet32, resnet44, resnet56 and resnet110, with
// three stages of 16, 32 and 64 channels and shortcuts by padding.
const std::vector<std::string>& all_model_names();

// What a ModelDescription calls a network of no name: its `block` and `layers` say what it is.
inline constexpr std::string_view kUnnamedModel = "resnet";

// All that the description and its architecture's row in the table say. Throws Error{kUsage} for an unknown name (lists
// the known ones), and for a description that contradicts its name.
ResNetOptions options_of(const ModelDescription& description);

// The shortest description of the network: by name where it has one, with what differs from the name's own.
// options_of() gives the same options back.
ModelDescription describe(const ResNetOptions& options);

// Throws as options_of() and resnet() do.
Graph build_model(const ModelDescription& description);

// "resnet50 (norm group, shortcut padding)": the name, and what is not the name's own.
std::string to_text(const ModelDescription& description);

// The side of the pictures that the network is meant for: 224, or 32 with the stem for CIFAR.
int usual_image_size(const ModelDescription& description);

}  // namespace resflow
