// One training run of any --mode, from its options to its files.
#pragma once

#include "apps/train_options.h"
#include "apps/training_data.h"
#include "apps/training_outcome.h"

namespace resflow {

// `data` is what options.data and options.val hold, or a part of it. Throws as TrainingRun does.
TrainingOutcome run_training(const TrainOptions& options, TrainingData data);

}  // namespace resflow
