#include "apps/run_training.h"

#include <utility>

#include "apps/training_run.h"

namespace resflow {

TrainingOutcome run_training(const TrainOptions& options, TrainingData data) {
  TrainingRun run(options, std::move(data));
  return run.run();
}

}  // namespace resflow
