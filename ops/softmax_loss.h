// Cross entropy of a softmax over classes, its gradient, and the count of right answers, as
// torch.nn.functional.cross_entropy with class weights w and label smoothing e:
//
//   loss = sum_n [ (1-e) w[y_n] (-log p_n[y_n]) + e/K sum_k w[k] (-log p_n[k]) ] / sum_n w[y_n]
//
// or, where the targets are probabilities t of classes (mixup, cutmix),
//
//   loss = sum_n sum_k w[k] ((1-e) t_n[k] + e/K) (-log p_n[k]) / N
//
// Shapes   logits, diff_logits, targets (N,K) row-major f32; labels (N) in [0, K).
// Right    the class of the largest logit, the first one where several are; of a target likewise.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ops/compute.h"

namespace resflow {

struct SoftmaxLossOptions {
  double label_smoothing = 0.0;      // in [0, 1]
  std::vector<float> class_weights;  // empty: all 1
};

struct LossResult {
  double loss = 0;                      // weighted mean over the rows
  double loss_sum = 0, weight_sum = 0;  // loss = loss_sum / weight_sum: what sums up over batches
  int64_t correct = 0;
};

class SoftmaxLoss {
 public:
  // Throws Error{kUsage} for a smoothing outside [0, 1], weights that are not K non-negative numbers.
  SoftmaxLoss(const Compute& compute, int64_t batch, int64_t classes, const SoftmaxLossOptions& options = {});
  ~SoftmaxLoss();

  // `logits` holds batch rows, of which the first labels.size() count. diff_logits may be null; rows that do not
  // count get zeros. Throws Error{kData} for a label outside [0, K) before anything is written. Allocates nothing.
  LossResult run(const float* logits, std::span<const int32_t> labels, float* diff_logits);

  // The same for the first `rows` rows with targets (rows,K). REQUIRES: no target is negative.
  LossResult run(const float* logits, const float* targets, int64_t rows, float* diff_logits);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
