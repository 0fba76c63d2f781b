// Loss and accuracy of a model on labelled batches, with BN's running statistics.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "graph/trainer.h"

namespace resflow {

// Sums, so that batches of any size add up: mean loss = loss_sum / weight_sum.
struct EvaluationSums {
  double loss_sum = 0;
  double weight_sum = 0;  // rows, where the loss has no class weights
  int64_t correct = 0;    // top-1
  int64_t rows = 0;

  EvaluationSums& operator+=(const EvaluationSums& other);
  double loss() const { return loss_sum / weight_sum; }
  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(rows); }
};

class Evaluator {
 public:
  // Works in the memory of `lender` where there is one: see Plan. The model outlives the evaluator.
  Evaluator(Model& model, const PlanOptions& options, const LossOptions& loss = {}, const Plan* lender = nullptr);
  ~Evaluator();

  // pixels (rows,3,H,W) planar f32, 1 <= rows <= batch. Follows changes of the model's parameters by itself.
  // Throws Error{kData} for a label outside [0, num_classes).
  EvaluationSums evaluate(const float* pixels, std::span<const int32_t> labels);

  PlanMemory memory() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
