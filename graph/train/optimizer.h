// An optimizer's state and its updates, a bucket of gradients at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/plan/arena.h"
#include "graph/plan/gradients.h"
#include "io/core/named_array.h"
#include "ops/optimizer.h"

namespace resflow {

// Names and defaults are PyTorch's.
struct OptimizerOptions {
  std::string name = "adam";  // "sgd", "adam", "adamw", "rmsprop", "lars", "lamb"
  double lr = 1e-3;
  double momentum = 0.0;   // sgd, rmsprop, lars
  double dampening = 0.0;  // sgd
  bool nesterov = false;
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  // adam, adamw, lamb; eps of rmsprop and lars too
  double alpha = 0.99;                            // rmsprop
  double trust = 0.001;                           // lars
  double weight_decay = 0.0;
  double clip_norm = 0.0;  // of all gradients together, as torch.nn.utils.clip_grad_norm_; 0: as they come
};

// All that there are.
const std::vector<std::string>& optimizer_names();

// Throws Error{kUsage} for options that cannot be, as torch does.
void check(const OptimizerOptions& options);

class Optimizer {
 public:
  // State (zeros) for the parameters of `buckets`. Throws as check() does.
  Optimizer(const OptimizerOptions& options, const std::vector<Bucket>& buckets, const Compute& compute);

  // Begins update number steps() + 1; then each bucket is applied once.
  void begin_step() { ++steps_; }
  // Updates the parameters of `bucket`, which has the parameters of the constructor's buckets[index], and counts
  // their versions. Allocates nothing.
  void apply(size_t index, const Bucket& bucket);

  // Scales the gradients of all buckets so that their 2-norm together is at most clip_norm, in place, and returns what
  // it was before. To be called before the first apply() of a step. Allocates nothing.
  double clip(const std::vector<Bucket>& buckets);

  void set_lr(double lr) { options_.lr = lr; }
  void set_momentum(double momentum);  // of sgd and rmsprop, where it is not 0; beta1 of adam and adamw
  int64_t steps() const { return steps_; }
  size_t bytes() const { return state_.bytes(); }

  // State by names "PARAMETER/exp_avg" and so on, in the plain layout.
  std::vector<NamedArray> state() const;
  // Throws Error{kData} that lists what is missing, unexpected or misshapen, and changes nothing then.
  void load(const std::vector<NamedArray>& state, int64_t steps);

 private:
  // Each layer's own rate, as LARS and LAMB have it, into the slices of `bucket`. Biases and batch norms, to which no
  // decay applies, keep the common one.
  void adapt_lars(std::vector<UpdateSlice>& slices);
  void adapt_lamb(std::vector<UpdateSlice>& slices);
  double norm_of(const float* values, size_t elements);

  struct Slot {
    std::string name;
    Tensor tensor;
  };

  OptimizerOptions options_;
  const Compute& compute_;
  std::vector<std::string> slot_names_;  // "exp_avg", "exp_avg_sq"
  Arena state_;
  std::vector<Slot> slots_;
  // Of each bucket: what the update takes, and each slice's distance from the bucket's first float.
  std::vector<std::vector<UpdateSlice>> slices_;
  std::vector<std::vector<size_t>> offsets_;
  // Scratch of clip() and adapt().
  std::vector<std::span<const float>> clipped_;
  std::vector<double> partial_norms_;
  int64_t steps_ = 0;
};

}  // namespace resflow
