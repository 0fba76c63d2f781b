// Training of a linear SVM as the head, on features that are computed once a picture: mode svm.
#pragma once

#include "apps/train/run.h"

namespace resflow {

// Trains to the run's files: best.resflow scores as any model does, with probabilities by Platt scaling; history.csv
// has one line, whose losses are those of the probabilities. A run that was stopped or killed goes on with what
// features there are.
TrainingOutcome train_svm(Run& run);

}  // namespace resflow
