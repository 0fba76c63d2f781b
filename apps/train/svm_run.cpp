#include "apps/train/svm_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/host/console.h"
#include "apps/host/progress.h"
#include "apps/host/signals.h"
#include "apps/train/feature_job.h"
#include "apps/train/run_parts.h"
#include "apps/train/tensorboard_log.h"
#include "graph/head/probabilities.h"
#include "graph/head/svm.h"
#include "graph/train/head_plan.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "pipeline/stratified_folds.h"

namespace resflow {
namespace {

// In a checkpoint that a run goes on from, where others have their optimizer's name.
constexpr const char* kSolver = "liblinear";

// The folds of the pictures; an augmented copy leaves training with its picture, and is never held out itself.
std::vector<int> folds_of(const FeatureRows& rows, int folds, uint64_t seed) {
  const auto originals = static_cast<size_t>(rows.originals);
  std::vector<int> fold_of = stratified_folds(std::span(rows.labels).first(originals), folds, seed);
  std::vector<int> of_picture(static_cast<size_t>(*std::max_element(rows.pictures.begin(), rows.pictures.end())) + 1);
  for (size_t row = 0; row < originals; ++row) of_picture[static_cast<size_t>(rows.pictures[row])] = fold_of[row];
  for (size_t row = originals; row < rows.rows.size(); ++row)
    fold_of.push_back(-1 - of_picture[static_cast<size_t>(rows.pictures[row])]);
  return fold_of;
}

// Mean loss and accuracy as scoring gives them.
struct Measured {
  double loss = 0, accuracy = 0;
};

Measured measure(Model& model, const Head& head, const FeatureRows& rows) {
  constexpr int64_t kRows = 256;
  HeadPlan plan(model, kRows);
  const auto classes = static_cast<size_t>(model.description().num_classes);
  std::vector<float> part;
  double loss = 0;
  int64_t right = 0;
  for (int64_t first = 0; first < rows.originals; first += kRows) {
    const int64_t count = std::min(kRows, rows.originals - first);
    gather(rows, first, count, part);
    const std::span<const float> outputs = plan.forward(part.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      const int32_t label = rows.labels[static_cast<size_t>(first + i)];
      const std::vector<double> p = probabilities(outputs.subspan(static_cast<size_t>(i) * classes, classes), head);
      loss -= std::log(std::max(p[static_cast<size_t>(label)], std::numeric_limits<double>::min()));
      right += top_classes(p, 1)[0] == label ? 1 : 0;
    }
  }
  const auto n = static_cast<double>(rows.originals);
  return {.loss = loss / n, .accuracy = static_cast<double>(right) / n};
}

class SvmRun : private FeatureJob {
 public:
  SvmRun(TrainOptions options, TrainingData data) : FeatureJob(std::move(options), std::move(data)) {}

  TrainingOutcome run() {
    const StopSignals signals;
    const TrainOptions& o = options_;
    print_setup();
    if (state_.epoch > 0) {
      fmt::print("the run is done already\n");
      return outcome(true);
    }
    if (!o.resume) {
      if (o.overwrite) folder_->clear();
      folder_->write_config(train_config(o));
      save_last(Head());
    }
    const double start = seconds_now();
    const bool done = extract() && fit(start);
    if (!done) fmt::print("stopped; what is done of the features is kept: go on with --resume\n");
    print_broken();
    return outcome(done);
  }

 private:
  TrainingOutcome outcome(bool finished) {
    flush_output();
    return FeatureJob::outcome(finished);
  }

  void print_setup() {
    const TrainOptions& o = options_;
    FeatureJob::print_setup();
    fmt::print("svm        one-vs-rest, liblinear, {}; {} for {}, seed {}\n",
               o.svm_c > 0 ? fmt::format("C {}", o.svm_c) : fmt::format("C of {}", fmt::join(svm_costs(), ", ")),
               plural(o.svm_folds, "fold", "folds"), o.svm_c > 0 ? "Platt scaling" : "it and for Platt scaling",
               o.seed);
    fmt::print("folder     {}\n", folder_->path());
    flush_output();
  }

  void check_classes() const {
    const FeatureRows& rows = train_;
    const std::vector<int64_t> counts =
        class_sizes(std::span(rows.labels).first(static_cast<size_t>(rows.originals)), data_.train.classes.size());
    for (size_t k = 0; k < counts.size(); ++k)
      if (counts[k] < 2)
        throw data_error("{}: of the class {} there is {} that can be read: cross validation takes at least 2",
                         data_.train_root, data_.train.classes[k], counts[k] == 0 ? "no picture" : "one picture");
    for (const float* row : rows.rows)
      if (!std::all_of(row, row + rows.columns, [](float v) { return std::isfinite(v); }))
        throw data_error("{}: the weights make features of its pictures that are no numbers", options_.weights);
  }

  // False where a signal asked to stop.
  bool fit(double start) {
    const TrainOptions& o = options_;
    check_classes();
    const FeatureRows& rows = train_;
    const SvmData data = {.rows = rows.rows,
                          .labels = rows.labels,
                          .columns = rows.columns,
                          .classes = static_cast<int64_t>(data_.train.classes.size())};
    const SvmOptions options = {.c = o.svm_c,
                                .class_weights = loss_options_of(o, data_.train).class_weights,
                                .folds = folds_of(rows, o.svm_folds, o.seed)};
    std::optional<SvmResult> result;
    {
      const int64_t tried = o.svm_c > 0 ? 1 : static_cast<int64_t>(svm_costs().size());
      ProgressLine progress(
          {.label = "svm", .unit = "fits", .total = tried * o.svm_folds + 1, .terminal = is_terminal(stderr)});
      result = train_svm(data, options, [&](int64_t done, int64_t /*all*/) {
        progress.update(done);
        return !stop_requested();
      });
    }
    if (!result) return false;
    take(*result);
    print_tried(*result);
    finish(result->head, seconds_now() - start);
    return true;
  }

  void take(const SvmResult& result) {
    const auto set = [&](const char* name, const std::vector<double>& values) {
      Parameter& parameter = model_->parameter(name);
      const std::vector<float> as_f32(values.begin(), values.end());
      parameter.value.import_from(Array::from<float>(parameter.value.dims(), as_f32), *compute_);
      ++parameter.version;
    };
    set("fc.weight", result.svm.weights);
    set("fc.bias", result.svm.biases);
  }

  void print_tried(const SvmResult& result) const {
    for (const auto& [c, accuracy] : result.tried)
      fmt::print("C {:<8} accuracy {:.4f} of held-out pictures{}\n", c, accuracy,
                 result.tried.size() > 1 && c == result.c ? " (best)" : "");
  }

  void finish(const Head& head, double seconds) {
    const Measured train = measure(*model_, head, train_);
    EpochRecord record = {.epoch = 1,
                          .train_loss = train.loss,
                          .train_accuracy = train.accuracy,
                          .val_loss = kNoValue,
                          .val_accuracy = kNoValue,
                          .learning_rate = kNoValue,
                          .seconds = seconds};
    std::string line = fmt::format("svm        train loss {:.4f} accuracy {:.4f}", train.loss, train.accuracy);
    if (has_validation()) {
      const Measured val = measure(*model_, head, val_);
      record.val_loss = val.loss;
      record.val_accuracy = state_.best_val_accuracy = val.accuracy;
      line += fmt::format("  validation loss {:.4f} accuracy {:.4f}", val.loss, val.accuracy);
    }
    state_.history = {record};
    state_.epoch = 1;
    TensorBoardLog(folder_->tensorboard(), 0).epoch(record, static_cast<double>(train_.rows.size()) / seconds);
    Checkpoint best = checkpoint();
    best.head = head;
    save_checkpoint(best, folder_->best());
    folder_->write_history(state_.history);
    save_last(head);
    fmt::print("{}  {:.1f} s\n", line, seconds);
  }

  void save_last(const Head& head) {
    Checkpoint last = checkpoint();
    last.head = head;
    last.optimizer_name = kSolver;
    save_checkpoint(last, folder_->last(), options_.keep);
  }
};

}  // namespace

TrainingOutcome train_svm_head(TrainOptions options, TrainingData data) {
  return SvmRun(std::move(options), std::move(data)).run();
}

}  // namespace resflow
