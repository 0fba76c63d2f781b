// One training run of any mode, from its options to its files: where training begins.
//
//   train() -> open_run (run.h) -> train_network, train_features or train_svm -> train_epochs (loop.h) -> report
#pragma once

#include <memory>

#include "apps/data/training_data.h"
#include "apps/train/options.h"
#include "apps/train/outcome.h"
#include "io/core/listener.h"

namespace resflow {

// `options` are resolved(), with a number of threads, to which the caller holds the process.
// `data` is what options.data and options.val hold, or a part of it. A finished run gets its report.html, which
// evaluates the best model once more. Throws as open_run, train_epochs and write_run_report do.
TrainingOutcome train(const TrainOptions& options, const std::shared_ptr<const TrainingData>& data, Listener& listener);

}  // namespace resflow
