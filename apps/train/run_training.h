// One training run of any --mode, from its options to its files.
#pragma once

#include "apps/data/training_data.h"
#include "apps/train/train_options.h"
#include "apps/train/training_outcome.h"

namespace resflow {

// `data` is what options.data and options.val hold, or a part of it. A finished run gets its report.html, which
// evaluates the best model once more. Throws as TrainingRun and write_run_report do.
TrainingOutcome run_training(const TrainOptions& options, const TrainingData& data);

}  // namespace resflow
