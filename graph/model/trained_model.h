// A checkpoint made ready to score with.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/model/model.h"
#include "io/checkpoint/checkpoint.h"

namespace resflow {

struct TrainedModel {
  std::unique_ptr<Model> model;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
  Head head;  // graph/head/probabilities.h: outputs to probabilities
};

// `path` is for errors. Throws Error{kData}: as Model::load, or the class names do not fit the network.
TrainedModel make_trained_model(Checkpoint checkpoint, const std::string& path, const Compute& compute);

// Of resflow's own file. Throws as load_checkpoint and make_trained_model do.
TrainedModel load_trained_model(const std::string& path, const Compute& compute);

}  // namespace resflow
