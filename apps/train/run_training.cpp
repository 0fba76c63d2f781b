#include "apps/train/run_training.h"

#include <fmt/format.h>

#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/report/run_report.h"
#include "apps/train/features_run.h"
#include "apps/train/run_folder.h"
#include "apps/train/svm_run.h"
#include "apps/train/training_run.h"

namespace resflow {
namespace {

TrainingOutcome train(const TrainOptions& options, const TrainingData& data) {
  const std::string mode = mode_of(options);
  if (mode == "features") return train_on_features(options, data);
  if (mode == "svm") return train_svm_head(options, data);
  return TrainingRun(options, data).run();
}

}  // namespace

TrainingOutcome run_training(const TrainOptions& options, const TrainingData& data) {
  TrainingOutcome outcome = train(options, data);
  if (!outcome.finished || outcome.records.empty()) return outcome;
  const RunReport report = {.best = outcome.best,
                            .data = &data,
                            .history = outcome.records,
                            .configuration = outcome.configuration,
                            .times = outcome.times,
                            .threads = outcome.threads,
                            .decode = outcome.decode,
                            .out = report_path(outcome.best)};
  const StopSignals signals;
  const ThreadLimit limit(outcome.threads);
  TerminalListener listener;
  if (write_run_report(report, Compute(outcome.threads), listener)) fmt::print("report     {}\n", report.out);
  return outcome;
}

}  // namespace resflow
