#include "ops/kernels/norm_kernels.h"

#define RESFLOW_KERNELS "ops/kernels/norm_kernels.inc"
#include "ops/kernels/simd_variants.inc"

namespace resflow {

template <class Stored>
NormKernels<Stored> norm_kernels(Isa isa) {
  return RESFLOW_SELECT(isa, kNormKernels<Stored>);
}

template NormKernels<float> norm_kernels(Isa isa);
template NormKernels<Bf16> norm_kernels(Isa isa);

}  // namespace resflow
