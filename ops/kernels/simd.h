// Kernels in several instruction sets. A kernel file NAME_kernels.inc is compiled once for each of them:
//
//   #define RESFLOW_KERNELS "ops/NAME_kernels.inc"
//   #include "ops/kernels/simd_variants.inc"          // gives avx512::..., avx2::..., plain::...
//
// and RESFLOW_SELECT picks one by an Isa (io/core/cpu.h) when the program runs. In the kernels V is a
// vector of kLanes floats with + - * / and comparisons (GCC's vector extension); memory holds floats or Bf16.
// Internal to ops/.
#pragma once

#include <algorithm>
#include <cstdint>

#include "io/core/cpu.h"

namespace resflow {

using Bf16 = uint16_t;  // the upper half of a float

// The widest level that these kernels have code for and that `isa` holds.
constexpr Isa kernel_isa(Isa isa) { return std::min(isa, Isa::kAvx512); }

}  // namespace resflow
