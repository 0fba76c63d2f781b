// Loss and accuracy of a model on labelled batches, with BN's running statistics.
//
// Five parts of the project come to an accuracy, each for another purpose:
// - Evaluator (here): a model on batches of pixels that the caller brings, without any file. It follows a model that is
//   being trained, and borrows the trainer's memory.
// - HeadTrainer::evaluate (graph/train/head_trainer.h): the same for the head alone, on features that are in memory.
// - Validation (apps/train/validation.h): an Evaluator behind a Loader, so that a run of training has the loss and
//   accuracy of its validation pictures after each epoch. It keeps sums, and nothing of single pictures.
// - the svm's accuracies (apps/train, mode svm): a finished head on features that are in memory, through probabilities
//   as scoring gives them, because there is no loss of training that could be summed up.
// - evaluate (apps/evaluate/evaluation.h): a finished model on labelled photographs, by the way that scoring takes,
// with
//   test-time views. It keeps the answer to each picture, from which graph/head/metrics.h computes all figures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "graph/train/trainer.h"

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
  // Works in the memory of `lender` where there is one: see Plan. Of a model that is frozen up to some place it keeps
  // what that makes of batches, as far as they fit into `kept_bytes`. The model outlives the evaluator.
  Evaluator(Model& model, const PlanOptions& options, const LossOptions& loss = {}, const Plan* lender = nullptr,
            size_t kept_bytes = 0);
  ~Evaluator();

  // pixels (rows,3,H,W) planar f32, 1 <= rows <= batch. Follows changes of the model's parameters by itself.
  // `samples` says which pictures these are: the same ones have the same pixels each time (graph/plan/prefix_cache.h).
  // Throws Error{kData} for a label outside [0, num_classes).
  EvaluationSums evaluate(const float* pixels, std::span<const int32_t> labels, std::span<const int64_t> samples = {});

  PlanMemory memory() const;
  size_t batch_bytes_to_keep() const;  // 0 where nothing is frozen

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
