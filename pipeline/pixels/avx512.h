// The intrinsics and function attributes of the kernels in AVX-512 with BW, VL, VBMI and VNNI (Isa::kAvx512Vnni).
#pragma once

// g++ 12 takes the undefined pass-through operand within its own intrinsics for a mistake of ours (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#define RESFLOW_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vnni")))
#define RESFLOW_AVX512_INLINE RESFLOW_AVX512 __attribute__((always_inline)) inline
