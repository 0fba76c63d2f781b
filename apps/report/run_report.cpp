#include "apps/report/run_report.h"

#include <fmt/format.h>

#include "apps/machine/versions.h"
#include "graph/model/trained_model.h"
#include "io/core/error.h"

namespace resflow {

int64_t best_epoch(const std::vector<EpochRecord>& history) {
  int64_t best = 0;
  double accuracy = -1;
  for (const EpochRecord& record : history) {
    if (!(record.val_accuracy > accuracy)) continue;  // it is NaN where there was no validation
    accuracy = record.val_accuracy;
    best = record.epoch;
  }
  return best;
}

bool write_run_report(const RunReport& run, const Compute& compute, Listener& listener) {
  HtmlReport report;
  report.history = run.history;
  report.best_epoch = best_epoch(run.history);
  report.times = run.times;
  report.configuration = run.configuration;
  report.versions = report_versions();

  Checkpoint checkpoint = load_checkpoint(run.best);
  const std::string architecture = checkpoint.model.architecture;
  report.title = fmt::format("{} trained on {}", architecture, run.data->train_root);
  const std::vector<Sample>& samples = run.data->val.samples;
  if (!samples.empty()) {
    const TrainedModel trained = make_trained_model(std::move(checkpoint), run.best, compute);
    const Evaluation evaluation = evaluate(
        trained, samples, {.batch = run.batch, .threads = run.threads, .decode = run.decode}, listener, "report");
    if (evaluation.stopped) return false;
    report.evaluation = reported_evaluation(evaluation, run.data->val_root, Views::kOne);
  }
  write_html_report(report, run.out);
  return true;
}

}  // namespace resflow
