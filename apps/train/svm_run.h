// resflow train --mode svm: a linear SVM as the head, on features that are computed once a picture.
#pragma once

#include "apps/data/training_data.h"
#include "apps/train/train_options.h"
#include "apps/train/training_outcome.h"

namespace resflow {

// Runs it to its files: best.resflow scores as any model does, with probabilities by Platt scaling; history.csv has one
// line, losses being those of the probabilities. A run that was stopped or killed goes on with what features there are.
// Throws as TrainingRun does.
TrainingOutcome train_svm_head(TrainOptions options, TrainingData data);

}  // namespace resflow
