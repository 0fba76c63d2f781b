// One step of training: forward, loss, backward, optimizer, each bucket of gradients applied as it completes; or, where
// gradients are clipped by their common norm or summed over several batches, all buckets after the last one.
//
//   Trainer trainer(model, 32, 224, {.name = "adam", .lr = 1e-3});
//   loader.run(0, 0, [&](const Batch& batch) {
//     if (batch.size > 0) trainer.step(batch.pixels, batch.labels);
//     return true;
//   });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "graph/plan/plan.h"
#include "graph/train/optimizer.h"
#include "io/core/named_array.h"

namespace resflow {

struct LossOptions {
  double label_smoothing = 0.0;
  std::vector<float> class_weights;  // empty: all 1
};

struct StepResult {
  double loss = 0;      // mean over the batch
  int64_t correct = 0;  // top-1
};

// Where the time of all steps so far went.
struct TrainerTimes {
  double forward = 0, backward = 0, optimizer = 0;  // seconds; forward with the loss
  int64_t batches = 0;
};

class Trainer {
 public:
  // Plans `model` for training at `batch`. A smaller last batch gets a plan of its own, made when it first
  // comes and kept; it works in the first one's memory. The model outlives the trainer. Throws Error{kUsage}
  // for options that cannot be, Error{kInternal} for kInt8. `planned` as PlanOptions has it.
  Trainer(Model& model, int64_t batch, int64_t image_size, const OptimizerOptions& optimizer,
          const LossOptions& loss = {}, Layout layout = Layout::kAny, Precision precision = Precision::kF32,
          std::function<void(size_t bytes)> planned = {});
  ~Trainer();

  // pixels (rows,3,S,S) planar f32, labels in [0, num_classes). 1 <= rows <= batch, else Error{kInternal}; a label
  // outside is Error{kData}, and nothing is changed then. Allocates nothing, but for the first batch of a size.
  // `targets` (rows,num_classes), where there are any, take the labels' place in loss and count: probabilities of the
  // classes (mixup, cutmix).
  StepResult step(const float* pixels, std::span<const int32_t> labels, std::span<const float> targets = {});

  // Gradient accumulation: the memory that it takes, to be called before the first of the two below.
  void allow_accumulation();
  // As step(), but the gradients times `factor` are added to those that wait for the next update().
  StepResult accumulate(const float* pixels, std::span<const int32_t> labels, std::span<const float> targets,
                        double factor);
  // One step of the optimizer with what was accumulated; nothing where nothing was.
  void update();

  void set_lr(double lr);
  void set_momentum(double momentum);  // Optimizer's
  int64_t steps() const;
  const Plan& plan() const;              // of the full batch: a plan for evaluation may borrow its memory
  PlanMemory memory() const;             // the same one's
  size_t optimizer_bytes() const;        // accumulated gradients included
  size_t optimizer_state_bytes() const;  // of what state() gives
  const TrainerTimes& times() const;

  // Optimizer state in the plain layout, "NAME/exp_avg" and so on, and the number of steps.
  std::vector<NamedArray> state() const;
  void load(const std::vector<NamedArray>& state, int64_t steps);  // Throws Error{kData}.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
