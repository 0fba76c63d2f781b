#include "graph/train/evaluator.h"

#include "graph/plan/prefix_cache.h"
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
  Impl(Model& model, const PlanOptions& options, const LossOptions& loss_options, const Plan* lender, size_t kept_bytes)
      : plan(model, for_evaluation(options), lender),
        prefixes(model, plan, kept_bytes),
        loss(model.compute(), options.batch, model.description().num_classes,
             {.label_smoothing = loss_options.label_smoothing, .class_weights = loss_options.class_weights}) {}

  Plan plan;
  PrefixCache prefixes;
  SoftmaxLoss loss;
};

Evaluator::Evaluator(Model& model, const PlanOptions& options, const LossOptions& loss, const Plan* lender,
                     size_t kept_bytes)
    : impl_(std::make_unique<Impl>(model, options, loss, lender, kept_bytes)) {}
Evaluator::~Evaluator() = default;

EvaluationSums Evaluator::evaluate(const float* pixels, std::span<const int32_t> labels,
                                   std::span<const int64_t> samples) {
  const auto rows = static_cast<int64_t>(labels.size());
  const std::span<const float> logits = impl_->prefixes.forward(pixels, rows, samples);
  const LossResult result = impl_->loss.run(logits.data(), labels, nullptr);
  return {.loss_sum = result.loss_sum, .weight_sum = result.weight_sum, .correct = result.correct, .rows = rows};
}

PlanMemory Evaluator::memory() const { return impl_->plan.memory(); }

size_t Evaluator::batch_bytes_to_keep() const { return impl_->plan.prefix_bytes(); }

}  // namespace resflow
