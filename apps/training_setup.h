// What a training run's options make of model, recipe and loss.
#pragma once

#include "apps/train_options.h"
#include "graph/model.h"
#include "io/dataset.h"
#include "pipeline/recipe.h"

namespace resflow {

// Pictures are normalized alike in training and in evaluation.
Recipe train_recipe(int image_size, const Preprocessing& evaluation);

// --freeze. Throws Error{kUsage} for a pattern that matches nothing.
void freeze_parameters(Model& model, const TrainOptions& options);

// Which parameters decay, and how fast they learn beside --lr.
void group_parameters(Model& model, const TrainOptions& options);

// Classes weigh by how rare they are in `train`, where --class-weights balanced asks for it.
LossOptions loss_options(const TrainOptions& options, const Dataset& train);

}  // namespace resflow
