// What training runs of every mode share, without a state of its own.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/train/saved_options.h"
#include "apps/train/train_options.h"
#include "graph/model/model.h"
#include "io/core/named_array.h"

namespace resflow {

// --freeze. Throws Error{kUsage} for a pattern that matches nothing.
void freeze_parameters(Model& model, const TrainOptions& options);

// Which parameters decay, and how fast they learn beside --lr.
void group_parameters(Model& model, const TrainOptions& options);

// " (ants 124, bees 121)" for a few classes, nothing for many.
std::string class_counts(const Dataset& dataset);

// pictures / (classes * pictures of the class)
std::vector<float> balanced_class_weights(const Dataset& dataset);

bool all_finite(std::span<const NamedArray> arrays);

// Label smoothing and class weights.
LossOptions loss_options_of(const TrainOptions& options, const Dataset& train);

// The options that a checkpoint keeps, and which data they went with.
SavedOptions saved_options(const TrainOptions& options, const TrainingData& data);
// A resumed run must see the same pictures: the cursor counts them. Throws Error{kUsage}.
void check_same_data(const SavedOptions& saved, const TrainingData& data);

}  // namespace resflow
