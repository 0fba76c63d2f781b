#include "apps/train/features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/train/feature_rows.h"
#include "apps/train/lines.h"
#include "apps/train/loop.h"
#include "apps/train/settings.h"
#include "graph/train/head_trainer.h"
#include "graph/train/schedule.h"
#include "io/core/stopwatch.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

class FeaturesMode : public TrainingMode {
 public:
  explicit FeaturesMode(Run& run) : TrainingMode(run) {
    group_parameters(*run.model, run.options);
    head_ = std::make_unique<HeadTrainer>(*run.model, run.options.batch, run.options.optimizer_options(),
                                          loss_options_of(run.options, run.data->train));
    if (run.options.resume) head_->load(run.optimizer, run.state.step);
  }

  bool prepare() override {
    std::optional<RunFeatures> features = extract_features(run_);
    if (features) features_ = std::move(*features);
    return features.has_value();
  }

  std::optional<Epoch> train_epoch() override {
    const Stopwatch watch;
    EpochRecord record = {.epoch = run_.state.epoch + 1,
                          .val_loss = kNoValue,
                          .val_accuracy = kNoValue,
                          .learning_rate = learning_rate(run_.options.schedule_options(), losses(run_)),
                          .left_out = features_.left_out};
    head_->set_lr(record.learning_rate);
    train(record);
    if (has_validation(run_)) validate(record);
    record.seconds = watch.seconds();
    return Epoch{.record = record,
                 .images_per_second = static_cast<double>(features_.train.rows.size()) / record.seconds};
  }

  void keep_best() override {
    best_ = Best{run_.state, run_.model->parameter("fc.weight").value.export_to_array(*run_.compute),
                 run_.model->parameter("fc.bias").value.export_to_array(*run_.compute)};
  }

  Checkpoint best() override {
    Checkpoint best = finite();
    best.training = best_.state;
    for (NamedArray& value : best.parameters) {
      if (value.name == "fc.weight") value.array = best_.weight;
      if (value.name == "fc.bias") value.array = best_.bias;
    }
    return best;
  }

  Checkpoint last() override {
    Checkpoint c = finite();
    c.optimizer_name = run_.options.optimizer;
    c.optimizer = head_->state();
    return c;
  }

  double seconds_between_savings() const override { return 10; }

  std::string epoch_line(const EpochRecord& record, bool is_best) const override {
    return resflow::epoch_line(run_, record, is_best, 3);
  }
  std::string stopped_line() const override { return stopped_after_epoch_line(run_); }

 private:
  // The head alone differs from epoch to epoch, and it is small.
  struct Best {
    TrainingState state;
    Array weight, bias;
  };

  Checkpoint finite() const { return finite_checkpoint(run_, fmt::format("after epoch {}", run_.state.epoch)); }

  // All rows once, in batches.
  void train(EpochRecord& record) {
    const FeatureRows& all = features_.train;
    const int64_t batch = run_.options.batch;
    const auto columns = static_cast<size_t>(all.columns);
    const auto count = static_cast<int64_t>(all.rows.size());
    const std::vector<int64_t> order = epoch_order(count, run_.state.seed, static_cast<uint64_t>(run_.state.epoch));
    std::vector<float> values(static_cast<size_t>(std::min(batch, count)) * columns);
    std::vector<int32_t> labels;
    double loss_sum = 0;
    int64_t correct = 0;
    for (int64_t first = 0; first < count; first += batch) {
      const int64_t rows = std::min(batch, count - first);
      labels.clear();
      for (int64_t i = 0; i < rows; ++i) {
        const auto row = static_cast<size_t>(order[static_cast<size_t>(first + i)]);
        std::copy_n(all.rows[row], columns, values.data() + static_cast<size_t>(i) * columns);
        labels.push_back(all.labels[row]);
      }
      const StepResult result = head_->step(values.data(), labels);
      if (!std::isfinite(result.loss))
        stop_diverged(run_, fmt::format("the loss of epoch {} is {}", record.epoch, result.loss));
      loss_sum += result.loss * static_cast<double>(rows);
      correct += result.correct;
    }
    run_.state.step = head_->steps();
    record.train_loss = loss_sum / static_cast<double>(count);
    record.train_accuracy = static_cast<double>(correct) / static_cast<double>(count);
  }

  void validate(EpochRecord& record) {
    constexpr int64_t kRows = 1024;
    const FeatureRows& all = features_.val;
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

  std::unique_ptr<HeadTrainer> head_;
  RunFeatures features_;
  Best best_;
};

}  // namespace

TrainingOutcome train_features(Run& run) {
  FeaturesMode mode(run);
  say(*run.listener, features_lines(run));
  return train_epochs(run, mode, run.options.epochs);
}

}  // namespace resflow
