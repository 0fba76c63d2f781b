#include "apps/train/features_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/train/feature_job.h"
#include "apps/train/run_parts.h"
#include "apps/train/tensorboard_log.h"
#include "graph/train/head_trainer.h"
#include "graph/train/schedule.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

constexpr double kSecondsBetweenSavings = 10;

class FeaturesRun : private FeatureJob {
 public:
  FeaturesRun(TrainOptions options, TrainingData data) : FeatureJob(std::move(options), std::move(data)) {
    group_parameters(*model_, options_);
    head_ = std::make_unique<HeadTrainer>(*model_, options_.batch, options_.optimizer_options(),
                                          loss_options_of(options_, data_.train));
    if (!options_.resume) return;
    head_->load(saved_optimizer_, state_.step);
    saved_epoch_ = state_.epoch;
  }

  TrainingOutcome run() {
    const StopSignals signals;
    const TrainOptions& o = options_;
    print_setup();
    if (!o.resume) {
      if (o.overwrite) folder_->clear();
      folder_->write_config(train_config(o));
      save();  // shows that the folder takes checkpoints, and a run can be resumed from its start on
    }
    if (o.resume && state_.epoch >= o.epochs)
      fmt::print("the run has its {} already; more with --epochs N\n", plural(state_.epoch, "epoch", "epochs"));
    if (state_.epoch < o.epochs && !stopped_early() && extract()) train();
    return finish();
  }

 private:
  void print_setup() {
    const TrainOptions& o = options_;
    FeatureJob::print_setup();
    print_optimizer();
    fmt::print("epochs     {} with {} pictures a step, seed {}\n", o.epochs, o.batch, o.seed);
    fmt::print("folder     {}\n", folder_->path());
    if (o.resume) fmt::print("resumed    at epoch {}\n", state_.epoch + 1);
    flush_output();
  }

  void train() {
    board_ = std::make_unique<TensorBoardLog>(folder_->tensorboard(), state_.epoch);
    double saved_at = seconds_now();
    while (state_.epoch < options_.epochs && !stopped_early() && !stop_requested()) {
      const double start = seconds_now();
      EpochRecord record = {
          .epoch = state_.epoch + 1, .val_loss = kNoValue, .val_accuracy = kNoValue, .learning_rate = epoch_lr()};
      head_->set_lr(record.learning_rate);
      train_epoch(record);
      if (has_validation()) validate(record);
      record.seconds = seconds_now() - start;
      finish_epoch(record);
      if (seconds_now() - saved_at < kSecondsBetweenSavings) continue;
      save();
      saved_at = seconds_now();
    }
  }

  void train_epoch(EpochRecord& record) {
    const FeatureRows& all = train_;
    const auto columns = static_cast<size_t>(all.columns);
    const auto count = static_cast<int64_t>(all.rows.size());
    const std::vector<int64_t> order = epoch_order(count, state_.seed, static_cast<uint64_t>(state_.epoch));
    std::vector<float> batch(static_cast<size_t>(std::min<int64_t>(options_.batch, count)) * columns);
    std::vector<int32_t> labels;
    double loss_sum = 0;
    int64_t correct = 0;
    for (int64_t first = 0; first < count; first += options_.batch) {
      const int64_t rows = std::min<int64_t>(options_.batch, count - first);
      labels.clear();
      for (int64_t i = 0; i < rows; ++i) {
        const auto row = static_cast<size_t>(order[static_cast<size_t>(first + i)]);
        std::copy_n(all.rows[row], columns, batch.data() + static_cast<size_t>(i) * columns);
        labels.push_back(all.labels[row]);
      }
      const StepResult result = head_->step(batch.data(), labels);
      if (!std::isfinite(result.loss))
        stop_diverged(fmt::format("the loss of epoch {} is {}", record.epoch, result.loss));
      loss_sum += result.loss * static_cast<double>(rows);
      correct += result.correct;
    }
    state_.step = head_->steps();
    record.train_loss = loss_sum / static_cast<double>(count);
    record.train_accuracy = static_cast<double>(correct) / static_cast<double>(count);
  }

  void validate(EpochRecord& record) {
    constexpr int64_t kRows = 1024;
    const FeatureRows& all = val_;
    const auto count = static_cast<int64_t>(all.rows.size());
    EvaluationSums sums;
    std::vector<float> part;
    for (int64_t first = 0; first < count; first += kRows) {
      const int64_t rows = std::min(kRows, count - first);
      gather(all, first, rows, part);
      sums += head_->evaluate(part.data(),
                              std::span(all.labels).subspan(static_cast<size_t>(first), static_cast<size_t>(rows)));
    }
    record.val_loss = sums.loss();
    record.val_accuracy = sums.accuracy();
  }

  void finish_epoch(const EpochRecord& record) {
    board_->epoch(record, static_cast<double>(train_.rows.size()) / record.seconds);
    const bool is_best = !has_validation() || record.val_accuracy > state_.best_val_accuracy;
    if (is_best && has_validation()) state_.best_val_accuracy = record.val_accuracy;
    state_.history.push_back(record);
    state_.epoch = record.epoch;
    if (is_best) keep_best();
    print_epoch(record, is_best, 3);
  }

  // The head alone differs from epoch to epoch, and it is small.
  struct Best {
    TrainingState state;
    Array weight, bias;
  };

  void keep_best() {
    best_ = Best{state_, model_->parameter("fc.weight").value.export_to_array(*compute_),
                 model_->parameter("fc.bias").value.export_to_array(*compute_)};
  }

  // best.resflow first and last.resflow last: were the run killed between, the resumed one would write them again.
  void save() {
    flush_output();
    Checkpoint c = checkpoint();
    if (!all_finite(c.parameters))
      stop_diverged(fmt::format("after epoch {} the model holds values that are no numbers", state_.epoch));
    if (best_) {
      Checkpoint best = c;
      best.training = best_->state;
      for (NamedArray& value : best.parameters) {
        if (value.name == "fc.weight") value.array = best_->weight;
        if (value.name == "fc.bias") value.array = best_->bias;
      }
      save_checkpoint(best, folder_->best());
      best_.reset();
    }
    folder_->write_history(state_.history);
    c.optimizer_name = options_.optimizer;
    c.optimizer = head_->state();
    save_checkpoint(c, folder_->last(), options_.keep);
    saved_epoch_ = state_.epoch;
  }

  TrainingOutcome finish() {
    const TrainOptions& o = options_;
    if (saved_epoch_ != state_.epoch) save();
    const bool early = state_.epoch < o.epochs && stopped_early();
    if (early) print_early_stop();
    const bool finished = early || state_.epoch >= o.epochs;
    if (!finished)
      fmt::print("stopped after epoch {} of {}; saved in {}: go on with --resume\n", state_.epoch, o.epochs,
                 folder_->last());
    print_broken();
    flush_output();
    return outcome(finished);
  }

  double epoch_lr() { return learning_rate(options_.schedule_options(), losses()); }

  std::unique_ptr<HeadTrainer> head_;
  std::unique_ptr<TensorBoardLog> board_;  // while it trains
  std::optional<Best> best_;               // not yet saved
  int64_t saved_epoch_ = -1;
};

}  // namespace

TrainingOutcome train_on_features(TrainOptions options, TrainingData data) {
  return FeaturesRun(std::move(options), std::move(data)).run();
}

}  // namespace resflow
