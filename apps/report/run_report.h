// The report of a training run: its best model on its validation data, and how it got there.
#pragma once

#include <string>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/report/page.h"
#include "io/checkpoint/training_state.h"
#include "io/core/listener.h"
#include "io/core/stage_times.h"
#include "ops/compute.h"

namespace resflow {

struct RunReport {
  std::string best;                    // the checkpoint to evaluate: best.resflow
  const TrainingData* data = nullptr;  // its validation pictures are evaluated, if it has any
  std::vector<EpochRecord> history = {};
  NameValues configuration = {};  // the run's options, as they were
  StageTimes times = {};          // of training in this process
  int batch = 32, threads = 1;
  DecodeMode decode = DecodeMode::kExact;  // as in training
  std::string out = {};                    // the file to write: RUN/report.html
};

// Evaluates the best model and writes the report. Meanwhile a second model with its plan is in memory; where that
// matters, end the trainer before. False, and nothing is written, where the listener asks to stop.
// Throws as load_checkpoint, evaluate and write_html_report do.
bool write_run_report(const RunReport& run, const Compute& compute, Listener& listener);

// The epoch with the best validation accuracy, the first one if several have it; 0 where there was no validation.
int64_t best_epoch(const std::vector<EpochRecord>& history);

}  // namespace resflow
