// Training of the head alone, on features that are computed once a picture: mode features.
#pragma once

#include "apps/train/run.h"

namespace resflow {

// Trains to the run's files, which are written at the end, where the listener asks to stop, and each ten seconds
// before: an epoch takes less time than to save it. A resumed run reads what features there are and goes on to the same
// bits.
TrainingOutcome train_features(Run& run);

}  // namespace resflow
