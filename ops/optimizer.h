// Fused updates of parameters: one pass over values, gradients and state, in parallel, with the arithmetic of
// torch.optim.SGD, Adam, AdamW and RMSprop (parity with PyTorch 1.13), and what LARS and LAMB add to the first two.
//
// Elementwise on the storage, so any layout does: padding of a blocked layout is 0 and stays 0, because its
// gradient is 0. The result does not depend on the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ops/compute.h"

namespace resflow {

// One stretch of parameters; all pointers have `elements` floats in the same layout.
struct UpdateSlice {
  float* value = nullptr;
  const float* gradient = nullptr;
  float* state0 = nullptr;     // SGD: momentum buffer (null where momentum is 0); Adam: exp_avg; RMSprop: square_avg
  float* state1 = nullptr;     // Adam: exp_avg_sq; RMSprop: momentum buffer (null where momentum is 0)
  float* direction = nullptr;  // LAMB: what lamb_direction() writes; may be the gradient
  size_t elements = 0;
  bool decay = true;    // false: weight_decay does not apply
  double lr_scale = 1;  // of the options' lr
  double trust = 1;     // SGD: of the gradient with its decay (LARS)
};

struct SgdOptions {
  double lr = 1e-3, momentum = 0.0, dampening = 0.0, weight_decay = 0.0;
  bool nesterov = false;
};

struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0;
  bool decoupled = false;  // AdamW: the decay shrinks the value instead of joining the gradient
};

struct LambOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0.0;
};

struct RmsPropOptions {
  double lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0.0, momentum = 0.0;
};

// `step` counts from 1. Allocate nothing.
void sgd_update(const Compute& compute, const SgdOptions& options, int64_t step, std::span<const UpdateSlice> slices);
void adam_update(const Compute& compute, const AdamOptions& options, int64_t step, std::span<const UpdateSlice> slices);
void rmsprop_update(const Compute& compute, const RmsPropOptions& options, std::span<const UpdateSlice> slices);

// The first half of a LAMB update (You et al., arXiv 1904.00962): moves exp_avg and exp_avg_sq, and writes the
// direction, Adam's with its bias corrections plus weight_decay times the value. Values are left: each slice's
// direction is to be scaled by the ratio of two norms first, and sgd_update() takes the step.
void lamb_direction(const Compute& compute, const LambOptions& options, int64_t step,
                    std::span<const UpdateSlice> slices);

}  // namespace resflow
