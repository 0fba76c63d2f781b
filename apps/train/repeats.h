// How far a result can be trusted: the same training several times, with other seeds (`repeat`) or other parts of the
// data to validate with (`folds`).
#pragma once

#include <string>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/train/options.h"
#include "io/core/listener.h"

namespace resflow {

// Mean and sample deviation of some numbers. REQUIRES: not empty; the deviation of one is 0.
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const std::vector<double>& values);

struct PlannedRun {
  std::string name;      // "fold-2", "seed-7"; of a run that is the only one empty
  TrainOptions options;  // resolved()
};

// The runs that `options` ask for: one, or `repeat` of them with seeds seed, seed + 1, ..., into OUT/seed-N; or one a
// fold, into OUT/fold-N. With `resume`, those that were not begun yet begin now. Throws as resolved() does.
std::vector<PlannedRun> plan_runs(const TrainOptions& options);

// True where `options` ask for several runs.
bool is_repeated(const TrainOptions& options);

// Trains `runs`, as plan_runs(options) gives them, on `data`; says a line a run, mean and deviation of the validation's
// accuracy, and writes OUT/runs.csv. Returns false where the listener asked to stop before all were done. Throws as
// train() does, and Error{kUsage} where there is nothing to validate with.
bool train_repeatedly(const TrainOptions& options, const std::vector<PlannedRun>& runs, TrainingData data,
                      Listener& listener);

}  // namespace resflow
