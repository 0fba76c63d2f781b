#include "ops/optimizer.h"

#include <cmath>

#include "io/core/error.h"
#include "ops/kernels/parallel.h"
#include "ops/kernels/simd.h"

namespace resflow {
namespace {

// What PyTorch computes in f64 once a step and rounds to f32 where it meets the tensors.
struct SgdFactors {
  float lr, momentum, one_minus_dampening, weight_decay;
  bool nesterov, first;
  float trust;
};

struct AdamFactors {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, eps;
  float weight_decay;  // coupled
  float shrink;        // decoupled: 1 - lr weight_decay
  float root_correction2, step_size;
};

struct LambFactors {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, eps, weight_decay;
  float correction1, root_correction2;
};

struct RmsPropFactors {
  float lr, alpha, one_minus_alpha, eps, weight_decay, momentum;
};

}  // namespace
}  // namespace resflow

#define RESFLOW_KERNELS "ops/kernels/optimizer_kernels.inc"
#include "ops/kernels/simd_variants.inc"

namespace resflow {
namespace {

// Divides all elements of all slices evenly, whatever the sizes of the slices, and calls f(stretch).
template <class F>
void each_stretch(const Compute& compute, std::span<const UpdateSlice> slices, const F& f) {
  int64_t total = 0;
  for (const UpdateSlice& slice : slices) total += static_cast<int64_t>(slice.elements);
  constexpr int64_t kWorthAThread = 16384;
  const int parts = static_cast<int>(std::clamp<int64_t>(total / kWorthAThread, 1, compute.threads()));
  compute.run([&] {
    parallel_parts(parts, [&](int part) {
      const Range range = part_of(total, part, parts);
      int64_t start = 0;  // of the slice, among all elements
      for (const UpdateSlice& slice : slices) {
        const auto elements = static_cast<int64_t>(slice.elements);
        const int64_t begin = std::max(range.begin - start, int64_t{0});
        const int64_t end = std::min(range.end - start, elements);
        if (begin < end)
          f(UpdateSlice{.value = slice.value + begin,
                        .gradient = slice.gradient + begin,
                        .state0 = slice.state0 == nullptr ? nullptr : slice.state0 + begin,
                        .state1 = slice.state1 == nullptr ? nullptr : slice.state1 + begin,
                        .direction = slice.direction == nullptr ? nullptr : slice.direction + begin,
                        .elements = static_cast<size_t>(end - begin),
                        .decay = slice.decay,
                        .lr_scale = slice.lr_scale,
                        .trust = slice.trust});
        start += elements;
      }
    });
  });
}

}  // namespace

void sgd_update(const Compute& compute, const SgdOptions& o, int64_t step, std::span<const UpdateSlice> slices) {
  if (step < 1) throw internal_error("optimizer: step {} counts from 1", step);
  const auto kernel = RESFLOW_SELECT(compute.isa(), sgd);
  each_stretch(compute, slices, [&](const UpdateSlice& stretch) {
    kernel({.lr = static_cast<float>(o.lr * stretch.lr_scale),
            .momentum = static_cast<float>(o.momentum),
            .one_minus_dampening = static_cast<float>(1 - o.dampening),
            .weight_decay = stretch.decay ? static_cast<float>(o.weight_decay) : 0.0F,
            .nesterov = o.nesterov,
            .first = step == 1,
            .trust = static_cast<float>(stretch.trust)},
           stretch);
  });
}

void adam_update(const Compute& compute, const AdamOptions& o, int64_t step, std::span<const UpdateSlice> slices) {
  if (step < 1) throw internal_error("optimizer: step {} counts from 1", step);
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(step));
  const auto kernel = RESFLOW_SELECT(compute.isa(), adam);
  each_stretch(compute, slices, [&](const UpdateSlice& stretch) {
    const double decay = stretch.decay ? o.weight_decay : 0.0, lr = o.lr * stretch.lr_scale;
    kernel({.beta1 = static_cast<float>(o.beta1),
            .one_minus_beta1 = static_cast<float>(1 - o.beta1),
            .beta2 = static_cast<float>(o.beta2),
            .one_minus_beta2 = static_cast<float>(1 - o.beta2),
            .eps = static_cast<float>(o.eps),
            .weight_decay = o.decoupled ? 0.0F : static_cast<float>(decay),
            .shrink = o.decoupled ? static_cast<float>(1 - lr * decay) : 1.0F,
            .root_correction2 = static_cast<float>(std::sqrt(correction2)),
            .step_size = static_cast<float>(lr / correction1)},
           stretch);
  });
}

void lamb_direction(const Compute& compute, const LambOptions& o, int64_t step, std::span<const UpdateSlice> slices) {
  if (step < 1) throw internal_error("optimizer: step {} counts from 1", step);
  const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(step));
  const auto kernel = RESFLOW_SELECT(compute.isa(), lamb);
  each_stretch(compute, slices, [&](const UpdateSlice& stretch) {
    kernel({.beta1 = static_cast<float>(o.beta1),
            .one_minus_beta1 = static_cast<float>(1 - o.beta1),
            .beta2 = static_cast<float>(o.beta2),
            .one_minus_beta2 = static_cast<float>(1 - o.beta2),
            .eps = static_cast<float>(o.eps),
            .weight_decay = stretch.decay ? static_cast<float>(o.weight_decay) : 0.0F,
            .correction1 = static_cast<float>(correction1),
            .root_correction2 = static_cast<float>(std::sqrt(correction2))},
           stretch);
  });
}

void rmsprop_update(const Compute& compute, const RmsPropOptions& o, std::span<const UpdateSlice> slices) {
  const auto kernel = RESFLOW_SELECT(compute.isa(), rmsprop);
  each_stretch(compute, slices, [&](const UpdateSlice& stretch) {
    kernel({.lr = static_cast<float>(o.lr * stretch.lr_scale),
            .alpha = static_cast<float>(o.alpha),
            .one_minus_alpha = static_cast<float>(1 - o.alpha),
            .eps = static_cast<float>(o.eps),
            .weight_decay = stretch.decay ? static_cast<float>(o.weight_decay) : 0.0F,
            .momentum = static_cast<float>(o.momentum)},
           stretch);
  });
}

}  // namespace resflow
