// A checkpoint made ready to score with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/model.h"
#include "io/checkpoint.h"

namespace resflow {

struct TrainedModel {
  std::unique_ptr<Model> model;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
};

// Throws Error{kData}: as load_checkpoint and Model::load, or the class names do not fit the network.
TrainedModel load_trained_model(const std::string& path, const Compute& compute);

// Throws Error{kData} where the number of class names is not that of the network's outputs.
void check_classes(const Checkpoint& checkpoint, const std::string& path);

}  // namespace resflow
