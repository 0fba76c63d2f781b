// Which instruction set our own kernels use. A kernel file NAME_kernels.inc is compiled once for each of them:
//
//   #define RESFLOW_KERNELS "ops/NAME_kernels.inc"
//   #include "ops/kernels/simd_variants.inc"          // gives avx512::..., avx2::..., plain::...
//
// and one is picked when the program runs, so that one build serves every x86-64 machine. In the kernels V is a
// vector of kLanes floats with + - * / and comparisons (GCC's vector extension); memory holds floats or Bf16.
// Internal to ops/.
#pragma once

#include <cstdint>

namespace resflow {

using Bf16 = uint16_t;  // the upper half of a float

enum class Isa { kPlain, kAvx2, kAvx512 };

Isa cpu_isa();                  // the widest that this machine has
const char* isa_name(Isa isa);  // "avx512", "avx2", "plain"

}  // namespace resflow
