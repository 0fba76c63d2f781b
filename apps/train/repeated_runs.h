// How far a result can be trusted: the same training several times, with other seeds (--repeat) or other parts of the
// data to validate with (--folds).
#pragma once

#include <string>
#include <vector>

#include "apps/train/train_options.h"

namespace resflow {

// Mean and sample deviation of some numbers. REQUIRES: not empty; the deviation of one is 0.
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const std::vector<double>& values);

// Trains options.repeat times, with seeds seed, seed + 1, ..., into OUT/seed-N; or once a fold of options.folds, into
// OUT/fold-N. Prints a line a run, mean and deviation of the validation's accuracy, and writes OUT/runs.csv. Each run
// is a run of its own: --resume goes on with the one that was interrupted, after those that are done. Returns the exit
// code. Throws as TrainingRun does, and Error{kUsage} where there is nothing to validate with.
int train_repeatedly(const TrainOptions& options);

}  // namespace resflow
