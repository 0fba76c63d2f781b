#include "apps/train/training.h"

#include <fmt/format.h>

#include "apps/report/run_report.h"
#include "apps/train/features.h"
#include "apps/train/folder.h"
#include "apps/train/network.h"
#include "apps/train/run.h"
#include "apps/train/svm.h"
#include "io/core/error.h"

namespace resflow {
namespace {

TrainingOutcome train_in_its_mode(Run& run) {
  if (run.options.mode == "features") return train_features(run);
  if (run.options.mode == "svm") return train_svm(run);
  return train_network(run);
}

// Its model has gone from memory when it returns.
TrainingOutcome train_one(const TrainOptions& options, const std::shared_ptr<const TrainingData>& data,
                          Listener& listener) {
  Run run = open_run(options, data, listener);
  return train_in_its_mode(run);
}

// The run is whole without its report.
void report(const TrainingOutcome& outcome, const TrainingData& data, Listener& listener) {
  const RunReport report = {.best = outcome.best,
                            .data = &data,
                            .history = outcome.records,
                            .configuration = outcome.configuration,
                            .times = outcome.times,
                            .threads = outcome.threads,
                            .decode = outcome.decode,
                            .out = report_path(outcome.best)};
  try {
    if (write_run_report(report, Compute(outcome.threads), listener))
      listener.say(fmt::format("report     {}", report.out));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kInternal) throw;
    listener.warn(fmt::format("report: {}; the run is done, and has none", e.marked()));
  }
}

}  // namespace

TrainingOutcome train(const TrainOptions& options, const std::shared_ptr<const TrainingData>& data,
                      Listener& listener) {
  TrainingOutcome outcome = train_one(options, data, listener);
  if (outcome.finished && !outcome.records.empty()) report(outcome, *data, listener);
  outcome.lock = nullptr;
  return outcome;
}

}  // namespace resflow
