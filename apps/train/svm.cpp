#include "apps/train/svm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/train/feature_rows.h"
#include "apps/train/lines.h"
#include "apps/train/loop.h"
#include "apps/train/settings.h"
#include "graph/head/probabilities.h"
#include "graph/head/svm.h"
#include "graph/train/head_plan.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
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

// Its one epoch is the fit.
class SvmMode : public TrainingMode {
 public:
  explicit SvmMode(Run& run) : TrainingMode(run) {}

  bool prepare() override {
    watch_.restart();
    std::optional<RunFeatures> features = extract_features(run_);
    if (!features) return false;
    features_ = std::move(*features);
    check_rows();
    return fit();
  }

  std::optional<Epoch> train_epoch() override {
    const Measured train = measure(*run_.model, head_, features_.train);
    EpochRecord record = {.epoch = 1,
                          .train_loss = train.loss,
                          .train_accuracy = train.accuracy,
                          .val_loss = kNoValue,
                          .val_accuracy = kNoValue,
                          .learning_rate = kNoValue,
                          .seconds = fit_seconds_,
                          .left_out = features_.left_out};
    if (has_validation(run_)) {
      const Measured val = measure(*run_.model, head_, features_.val);
      record.val_loss = val.loss;
      record.val_accuracy = val.accuracy;
    }
    return Epoch{.record = record,
                 .images_per_second = static_cast<double>(features_.train.rows.size()) / fit_seconds_};
  }

  Checkpoint best() override {
    Checkpoint c = checkpoint(run_);
    c.head = head_;
    return c;
  }

  Checkpoint last() override {
    Checkpoint c = best();
    c.optimizer_name = kSolver;
    return c;
  }

  std::string done_line() const override { return "the run is done already"; }
  std::string epoch_line(const EpochRecord& record, bool /*is_best*/) const override { return svm_line(run_, record); }
  std::string stopped_line() const override {
    return "stopped; what is done of the features is kept: go on with " + setting("resume");
  }

 private:
  void check_rows() const {
    const TrainingData& data = *run_.data;
    const FeatureRows& rows = features_.train;
    const std::vector<int64_t> counts =
        class_sizes(std::span(rows.labels).first(static_cast<size_t>(rows.originals)), data.train.classes.size());
    for (size_t k = 0; k < counts.size(); ++k)
      if (counts[k] < 2)
        throw data_error("{}: of the class {} there is {} that can be read: cross validation takes at least 2",
                         data.train_root, data.train.classes[k], counts[k] == 0 ? "no picture" : "one picture");
    for (const float* row : rows.rows)
      if (!std::all_of(row, row + rows.columns, [](float v) { return std::isfinite(v); }))
        throw data_error("{}: the weights make features of its pictures that are no numbers", run_.options.weights);
  }

  // False where the listener asked to stop.
  bool fit() {
    const TrainOptions& o = run_.options;
    const FeatureRows& rows = features_.train;
    const SvmData data = {.rows = rows.rows,
                          .labels = rows.labels,
                          .columns = rows.columns,
                          .classes = static_cast<int64_t>(run_.data->train.classes.size())};
    const SvmOptions options = {.c = o.svm_c,
                                .class_weights = loss_options_of(o, run_.data->train).class_weights,
                                .folds = folds_of(rows, o.svm_folds, o.seed)};
    std::optional<SvmResult> result;
    {
      const int64_t tried = o.svm_c > 0 ? 1 : static_cast<int64_t>(svm_costs().size());
      Progress progress(*run_.listener, {.label = "svm", .unit = "fits", .total = tried * o.svm_folds + 1});
      result = resflow::train_svm(data, options, [&](int64_t done, int64_t /*all*/) {
        progress.update(done);
        return !run_.listener->stop();
      });
    }
    if (!result) return false;
    take(*result);
    say(*run_.listener, svm_tried_lines(*result));
    fit_seconds_ = watch_.seconds();
    return true;
  }

  void take(const SvmResult& result) {
    const auto set = [&](const char* name, const std::vector<double>& values) {
      Parameter& parameter = run_.model->parameter(name);
      const std::vector<float> as_f32(values.begin(), values.end());
      parameter.value.import_from(Array::from<float>(parameter.value.dims(), as_f32), *run_.compute);
      ++parameter.version;
    };
    set("fc.weight", result.svm.weights);
    set("fc.bias", result.svm.biases);
    head_ = result.head;
  }

  RunFeatures features_;
  Head head_;  // what makes probabilities of the outputs; before the fit that of a network
  Stopwatch watch_;
  double fit_seconds_ = 0;  // with the features
};

}  // namespace

TrainingOutcome train_svm(Run& run) {
  SvmMode mode(run);
  say(*run.listener, svm_lines(run));
  return train_epochs(run, mode, 1);
}

}  // namespace resflow
