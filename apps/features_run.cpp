#include "apps/features_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "apps/console.h"
#include "apps/feature_job.h"
#include "apps/run_parts.h"
#include "apps/signals.h"
#include "graph/head_trainer.h"
#include "graph/schedule.h"
#include "io/error.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
constexpr double kSecondsBetweenSavings = 10;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class FeaturesRun {
 public:
  FeaturesRun(TrainOptions options, TrainingData data) : job_(std::move(options), std::move(data)) {
    group_parameters();
    head_ = std::make_unique<HeadTrainer>(job_.model(), job_.options().batch, job_.options().optimizer_options(),
                                          loss_options_of(job_.options(), job_.data().train));
    if (!job_.options().resume) return;
    head_->load(job_.optimizer(), state().step);
    saved_epoch_ = state().epoch;
  }

  TrainingOutcome run() {
    const StopSignals signals;
    const TrainOptions& o = job_.options();
    print_setup();
    if (!o.resume) {
      if (o.overwrite) job_.folder().clear();
      job_.folder().write_config(train_config(o));
      save();  // shows that the folder takes checkpoints, and a run can be resumed from its start on
    }
    if (o.resume && state().epoch >= o.epochs)
      fmt::print("the run has its {} already; more with --epochs N\n", plural(state().epoch, "epoch", "epochs"));
    if (state().epoch < o.epochs && !stopped_early() && job_.extract()) train();
    return finish();
  }

 private:
  TrainingState& state() { return job_.state(); }

  void group_parameters() {
    if (job_.options().no_decay_norm_bias) job_.model().parameter("fc.bias").decay = false;
  }

  void print_setup() {
    const TrainOptions& o = job_.options();
    job_.print_setup();
    fmt::print("optimizer  {}, lr {}{}, weight decay {}{}{}\n", o.optimizer, o.lr,
               o.momentum > 0 ? fmt::format(", {}momentum {}", o.nesterov ? "Nesterov " : "", o.momentum) : "",
               o.weight_decay, o.no_decay_norm_bias ? " (not of the bias)" : "",
               o.label_smoothing > 0 ? fmt::format(", label smoothing {}", o.label_smoothing) : "");
    if (o.schedule != "none" || o.warmup_epochs > 0)
      fmt::print("schedule   {}{}\n", o.schedule,
                 o.warmup_epochs > 0 ? fmt::format(", warm-up of {}", plural(o.warmup_epochs, "epoch", "epochs")) : "");
    fmt::print("epochs     {} with {} pictures a step, seed {}\n", o.epochs, o.batch, o.seed);
    fmt::print("folder     {}\n", job_.folder().path());
    if (o.resume) fmt::print("resumed    at epoch {}\n", state().epoch + 1);
    flush_output();
  }

  void train() {
    double saved_at = seconds_now();
    while (state().epoch < job_.options().epochs && !stopped_early() && !stop_requested()) {
      const double start = seconds_now();
      EpochRecord record = {
          .epoch = state().epoch + 1, .val_loss = kNoValue, .val_accuracy = kNoValue, .learning_rate = epoch_lr()};
      head_->set_lr(record.learning_rate);
      train_epoch(record);
      if (job_.has_validation()) validate(record);
      record.seconds = seconds_now() - start;
      finish_epoch(record);
      if (seconds_now() - saved_at < kSecondsBetweenSavings) continue;
      save();
      saved_at = seconds_now();
    }
  }

  void train_epoch(EpochRecord& record) {
    const FeatureRows& all = job_.train();
    const auto columns = static_cast<size_t>(all.columns);
    const auto count = static_cast<int64_t>(all.rows.size());
    const std::vector<int64_t> order = epoch_order(count, state().seed, static_cast<uint64_t>(state().epoch));
    std::vector<float> batch(static_cast<size_t>(std::min<int64_t>(job_.options().batch, count)) * columns);
    std::vector<int32_t> labels;
    double loss_sum = 0;
    int64_t correct = 0;
    for (int64_t first = 0; first < count; first += job_.options().batch) {
      const int64_t rows = std::min<int64_t>(job_.options().batch, count - first);
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
    state().step = head_->steps();
    record.train_loss = loss_sum / static_cast<double>(count);
    record.train_accuracy = static_cast<double>(correct) / static_cast<double>(count);
  }

  void validate(EpochRecord& record) {
    constexpr int64_t kRows = 1024;
    const FeatureRows& all = job_.val();
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
    const bool is_best = !job_.has_validation() || record.val_accuracy > state().best_val_accuracy;
    if (is_best && job_.has_validation()) state().best_val_accuracy = record.val_accuracy;
    state().history.push_back(record);
    state().epoch = record.epoch;
    if (is_best) keep_best();
    std::string line = fmt::format("epoch {:>{}}/{}  train loss {:.4f} accuracy {:.4f}", record.epoch,
                                   std::to_string(job_.options().epochs).size(), job_.options().epochs,
                                   record.train_loss, record.train_accuracy);
    if (job_.has_validation())
      line += fmt::format("  validation loss {:.4f} accuracy {:.4f}{}", record.val_loss, record.val_accuracy,
                          is_best ? " (best)" : "");
    fmt::print("{}  {:.3f} s\n", line, record.seconds);
  }

  // The head alone differs from epoch to epoch, and it is small.
  struct Best {
    TrainingState state;
    Array weight, bias;
  };

  void keep_best() {
    best_ = Best{state(), job_.model().parameter("fc.weight").value.export_to_array(job_.compute()),
                 job_.model().parameter("fc.bias").value.export_to_array(job_.compute())};
  }

  // best.resflow first and last.resflow last: were the run killed between, the resumed one would write them again.
  void save() {
    flush_output();
    Checkpoint c = job_.checkpoint();
    if (!all_finite(c.parameters))
      stop_diverged(fmt::format("after epoch {} the model holds values that are no numbers", state().epoch));
    if (best_) {
      Checkpoint best = c;
      best.training = best_->state;
      for (NamedArray& value : best.parameters) {
        if (value.name == "fc.weight") value.array = best_->weight;
        if (value.name == "fc.bias") value.array = best_->bias;
      }
      save_checkpoint(best, job_.folder().best());
      best_.reset();
    }
    job_.folder().write_history(state().history);
    c.optimizer_name = job_.options().optimizer;
    c.optimizer = head_->state();
    save_checkpoint(c, job_.folder().last(), job_.options().keep);
    saved_epoch_ = state().epoch;
  }

  TrainingOutcome finish() {
    const TrainOptions& o = job_.options();
    if (saved_epoch_ != state().epoch) save();
    const bool early = state().epoch < o.epochs && stopped_early();
    if (early)
      fmt::print("stopped    after epoch {}: no better validation accuracy in {} (--early-stop)\n", state().epoch,
                 plural(o.early_stop, "epoch", "epochs"));
    const bool finished = early || state().epoch >= o.epochs;
    if (!finished)
      fmt::print("stopped after epoch {} of {}; saved in {}: go on with --resume\n", state().epoch, o.epochs,
                 job_.folder().last());
    job_.report_broken();
    flush_output();
    return job_.outcome(finished);
  }

  double epoch_lr() {
    std::vector<double> losses;
    for (const EpochRecord& record : state().history)
      losses.push_back(job_.has_validation() ? record.val_loss : record.train_loss);
    return learning_rate(job_.options().schedule_options(), losses);
  }

  bool stopped_early() {
    if (job_.options().early_stop == 0) return false;
    const auto& history = state().history;
    const auto best = std::max_element(history.begin(), history.end(), [](const EpochRecord& a, const EpochRecord& b) {
      return a.val_accuracy < b.val_accuracy;
    });
    return std::distance(best, history.end()) > job_.options().early_stop;
  }

  [[noreturn]] void stop_diverged(const std::string& what) const {
    throw usage_error("{}: training has diverged; try a lower --lr (it is {}); {} holds the run as it was saved before",
                      what, job_.options().lr, job_.folder().last());
  }

  FeatureJob job_;
  std::unique_ptr<HeadTrainer> head_;
  std::optional<Best> best_;  // not yet saved
  int64_t saved_epoch_ = -1;
};

}  // namespace

TrainingOutcome train_on_features(TrainOptions options, TrainingData data) {
  return FeaturesRun(std::move(options), std::move(data)).run();
}

}  // namespace resflow
