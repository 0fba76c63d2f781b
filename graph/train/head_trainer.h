// Trains the head of a model, its layer `fc`, on features that were computed before: rows of what Plan gives as
// Output::kFeatures. All other parameters stay as they are, to the bit.
//
// A step is a linear layer, a loss and an update, so a row costs microseconds where a picture costs milliseconds.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/model/model.h"
#include "graph/train/evaluator.h"
#include "graph/train/optimizer.h"
#include "graph/train/trainer.h"
#include "io/core/named_array.h"

namespace resflow {

class HeadTrainer {
 public:
  // Plans `fc` of `model` for steps of up to `batch` rows. The model outlives the trainer, and no training Plan of it
  // may be made beside it. Throws Error{kUsage} for options that cannot be.
  HeadTrainer(Model& model, int64_t batch, const OptimizerOptions& optimizer, const LossOptions& loss = {});
  ~HeadTrainer();

  // features (rows, Model::feature_count) row-major f32, labels in [0, num_classes); 1 <= rows <= batch, else
  // Error{kInternal}; a label outside is Error{kData}, and nothing is changed then. Allocates nothing, but for the
  // first batch of a size.
  StepResult step(const float* features, std::span<const int32_t> labels);

  // Loss and accuracy of the head as it is now, on any number of rows. Throws as step does.
  EvaluationSums evaluate(const float* features, std::span<const int32_t> labels);

  void set_lr(double lr);
  int64_t steps() const;

  // The optimizer's state: "fc.weight/exp_avg" and so on, in the plain layout.
  std::vector<NamedArray> state() const;
  void load(const std::vector<NamedArray>& state, int64_t steps);  // Throws Error{kData}.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
