#include "graph/evaluator.h"

#include "ops/softmax_loss.h"

namespace resflow {
namespace {

PlanOptions for_evaluation(PlanOptions options) {
  options.mode = Mode::kEval;
  return options;
}

}  // namespace

EvaluationSums& EvaluationSums::operator+=(const EvaluationSums& other) {
  loss_sum += other.loss_sum;
  weight_sum += other.weight_sum;
  correct += other.correct;
  rows += other.rows;
  return *this;
}

struct Evaluator::Impl {
  Impl(Model& model, const PlanOptions& options, const LossOptions& loss_options, const Plan* lender)
      : plan(model, for_evaluation(options), lender),
        loss(model.compute(), options.batch, model.description().num_classes,
             {.label_smoothing = loss_options.label_smoothing, .class_weights = loss_options.class_weights}) {}

  Plan plan;
  SoftmaxLoss loss;
};

Evaluator::Evaluator(Model& model, const PlanOptions& options, const LossOptions& loss, const Plan* lender)
    : impl_(std::make_unique<Impl>(model, options, loss, lender)) {}
Evaluator::~Evaluator() = default;

EvaluationSums Evaluator::evaluate(const float* pixels, std::span<const int32_t> labels) {
  const auto rows = static_cast<int64_t>(labels.size());
  const std::span<const float> logits = impl_->plan.forward(pixels, rows);
  const LossResult result = impl_->loss.run(logits.data(), labels, nullptr);
  return {.loss_sum = result.loss_sum, .weight_sum = result.weight_sum, .correct = result.correct, .rows = rows};
}

PlanMemory Evaluator::memory() const { return impl_->plan.memory(); }

}  // namespace resflow
