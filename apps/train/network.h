// Training of a network by gradients: modes finetune, partial and scratch.
#pragma once

#include "apps/train/run.h"

namespace resflow {

// Trains to the run's files. A loss that is not a number is an Error{kUsage} that says what to try.
TrainingOutcome train_network(Run& run);

// Instead of training: tries learning rates (apps/train/lr_find.h), says what they did and writes lr-find.csv and its
// plot into the folder. Returns false where the listener asked to stop. The model is of no use afterwards.
bool find_lr(Run& run);

}  // namespace resflow
