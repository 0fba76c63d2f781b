// resflow train --mode features: the head alone is trained, on features that are computed once a picture.
#pragma once

#include "apps/data/training_data.h"
#include "apps/train/train_options.h"
#include "apps/train/training_outcome.h"

namespace resflow {

// Runs it to its files, as TrainingRun does: last.resflow and history.csv are written at the end, where a signal asks
// to stop, and each ten seconds before, for an epoch takes less time than to save it. A resumed run reads what features
// there are and goes on to the same bits. Throws as TrainingRun does.
TrainingOutcome train_on_features(TrainOptions options, TrainingData data);

}  // namespace resflow
