// What the options of a run are to the model and to its loss.
#pragma once

#include <vector>

#include "apps/train/options.h"
#include "graph/model/model.h"
#include "graph/train/trainer.h"
#include "io/pictures/dataset.h"

namespace resflow {

// What `freeze` names stays as it is. Throws Error{kUsage} for a pattern that matches nothing.
void freeze_parameters(Model& model, const TrainOptions& options);

// Which parameters decay, and how fast they learn beside `lr`.
void group_parameters(Model& model, const TrainOptions& options);

// pictures / (classes * pictures of the class)
std::vector<float> balanced_class_weights(const Dataset& dataset);

// Label smoothing and class weights.
LossOptions loss_options_of(const TrainOptions& options, const Dataset& train);

}  // namespace resflow
