#include "graph/train/head_trainer.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "graph/plan/arena.h"
#include "graph/plan/gradients.h"
#include "graph/train/head_plan.h"
#include "io/core/error.h"
#include "ops/linear.h"
#include "ops/softmax_loss.h"

namespace resflow {
namespace {

SoftmaxLossOptions for_softmax(const LossOptions& loss) {
  return {.label_smoothing = loss.label_smoothing, .class_weights = loss.class_weights};
}

// The layer and its loss for one number of rows, with memory of its own.
struct SizedHead {
  SizedHead(Model& model, int64_t rows, const LossOptions& loss_options)
      : loss(model.compute(), rows, model.description().num_classes, for_softmax(loss_options)) {
    const Compute& compute = model.compute();
    features = Tensor("features", plain_desc({rows, model.feature_count()}), compute);
    logits = Tensor("logits", plain_desc({rows, model.description().num_classes}), compute);
    diff_logits = Tensor("diff_logits", logits.desc(), compute);
    op = make_linear({.compute = compute, .training = true, .need_diff_src = false}, features.desc(),
                     model.parameter("fc.weight"), model.parameter("fc.bias"));
    scratch = std::make_unique<Arena>(std::max<size_t>(op->requirements().scratch_bytes, 1), compute);
  }

  // REQUIRES: the parameters have their gradients.
  void bind() {
    op->bind({.src = {features.data()},
              .dst = logits.data(),
              .diff_src = {},
              .diff_dst = diff_logits.data(),
              .scratch = scratch->data()});
  }

  SoftmaxLoss loss;
  Tensor features, logits, diff_logits;
  std::unique_ptr<Op> op;
  std::unique_ptr<Arena> scratch;
};

// Rows that are evaluated at once.
constexpr int64_t kEvaluationRows = 256;

struct Evaluation {
  Evaluation(Model& model, const LossOptions& loss_options)
      : plan(model, kEvaluationRows),
        loss(model.compute(), kEvaluationRows, model.description().num_classes, for_softmax(loss_options)) {}

  HeadPlan plan;
  SoftmaxLoss loss;
};

}  // namespace

struct HeadTrainer::Impl {
  Impl(Model& the_model, int64_t the_batch, const OptimizerOptions& options, const LossOptions& loss)
      : model(the_model), batch(the_batch), loss_options(loss), clips(options.clip_norm > 0) {
    check(options);
    if (batch < 1) throw usage_error("batch is {}: wanted at least 1", batch);
    model.compute().run([&] {
      // The first training op decides how the parameters lie, and so their gradients.
      SizedHead& full = sized.try_emplace(batch, model, batch, loss_options).first->second;
      const std::vector<std::vector<Parameter*>> buckets = {full.op->parameters()};
      arena = std::make_unique<Arena>(bucket_bytes(buckets[0]), model.compute());
      void* place = arena->data();
      gradients = std::make_unique<Gradients>(buckets, std::span<void* const>(&place, 1), model.compute());
      full.bind();
      optimizer = std::make_unique<Optimizer>(options, gradients->buckets(), model.compute());
    });
  }

  SizedHead& sized_for(int64_t rows) {
    const auto [found, made] = sized.try_emplace(rows, model, rows, loss_options);
    if (made) found->second.bind();
    return found->second;
  }

  Model& model;
  int64_t batch;
  LossOptions loss_options;
  bool clips;
  std::map<int64_t, SizedHead> sized;  // by rows
  std::unique_ptr<Arena> arena;        // of the gradients
  std::unique_ptr<Gradients> gradients;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Evaluation> evaluation;
};

HeadTrainer::HeadTrainer(Model& model, int64_t batch, const OptimizerOptions& optimizer, const LossOptions& loss)
    : impl_(std::make_unique<Impl>(model, batch, optimizer, loss)) {}
HeadTrainer::~HeadTrainer() = default;

StepResult HeadTrainer::step(const float* features, std::span<const int32_t> labels) {
  Impl& head = *impl_;
  const auto rows = static_cast<int64_t>(labels.size());
  if (rows < 1 || rows > head.batch) throw internal_error("a step of {} rows in a trainer for {}", rows, head.batch);
  LossResult result;
  head.model.compute().run([&] {
    SizedHead& sized = head.sized_for(rows);
    std::memcpy(sized.features.data(), features,
                static_cast<size_t>(rows * head.model.feature_count()) * sizeof(float));
    sized.op->forward();
    result = sized.loss.run(sized.logits.data(), labels, sized.diff_logits.data());
    sized.op->backward();
    head.optimizer->begin_step();
    if (head.clips) head.optimizer->clip(head.gradients->buckets());
    head.optimizer->apply(0, head.gradients->buckets().front());
  });
  return {.loss = result.loss, .correct = result.correct};
}

EvaluationSums HeadTrainer::evaluate(const float* features, std::span<const int32_t> labels) {
  Impl& head = *impl_;
  if (!head.evaluation) head.evaluation = std::make_unique<Evaluation>(head.model, head.loss_options);
  EvaluationSums sums;
  head.model.compute().run([&] {
    for (size_t row = 0; row < labels.size(); row += kEvaluationRows) {
      const auto part = labels.subspan(row, std::min<size_t>(kEvaluationRows, labels.size() - row));
      const auto rows = static_cast<int64_t>(part.size());
      const std::span<const float> logits =
          head.evaluation->plan.forward(features + static_cast<int64_t>(row) * head.model.feature_count(), rows);
      const LossResult result = head.evaluation->loss.run(logits.data(), part, nullptr);
      sums += {.loss_sum = result.loss_sum, .weight_sum = result.weight_sum, .correct = result.correct, .rows = rows};
    }
  });
  return sums;
}

void HeadTrainer::set_lr(double lr) { impl_->optimizer->set_lr(lr); }
int64_t HeadTrainer::steps() const { return impl_->optimizer->steps(); }
std::vector<NamedArray> HeadTrainer::state() const { return impl_->optimizer->state(); }
void HeadTrainer::load(const std::vector<NamedArray>& state, int64_t steps) { impl_->optimizer->load(state, steps); }

}  // namespace resflow
