// The models there are, by torchvision's names. One line a model.
#pragma once

#include <string>
#include <vector>

#include "graph/model/graph.h"
#include "io/checkpoint/description.h"

namespace resflow {

const std::vector<std::string>& model_names();

// Throws Error{kUsage} for an unknown name (lists the known ones), and for what BasicBlock cannot do.
Graph build_model(const ModelDescription& description);

}  // namespace resflow
