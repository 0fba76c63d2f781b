#include "ops/kernels/winograd_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

// g++ 12 takes _mm512_undefined_ps and its like inside of its own intrinsics for a mistake (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#define RESFLOW_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#define RESFLOW_VECTOR RESFLOW_TARGET __attribute__((always_inline)) static inline

namespace resflow::winograd {
namespace {

using V __attribute__((vector_size(64))) = float;
using Bits __attribute__((vector_size(64))) = uint32_t;
#define RESFLOW_ROUNDING RESFLOW_VECTOR
#include "ops/kernels/bf16_rounding.inc"

struct Vec {
  static constexpr const char* kName = "avx512";
  using Type = __m512;
  static constexpr int64_t kLanes = 16;
  RESFLOW_VECTOR Type load(const float* p) { return _mm512_loadu_ps(p); }
  RESFLOW_VECTOR void store(float* p, Type x) { _mm512_storeu_ps(p, x); }
  RESFLOW_VECTOR Type load(const Bf16* p) {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
  }
  RESFLOW_VECTOR void store(Bf16* p, Type x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16((__m512i)bf16_words((V)x)));
  }
  // To memory, leaving out the caches; 64-byte aligned.
  RESFLOW_VECTOR void stream(float* p, Type x) { _mm512_stream_ps(p, x); }
  RESFLOW_VECTOR Type zero() { return _mm512_setzero_ps(); }
  RESFLOW_VECTOR Type set1(float x) { return _mm512_set1_ps(x); }
  RESFLOW_VECTOR Type add(Type x, Type y) { return _mm512_add_ps(x, y); }
  RESFLOW_VECTOR Type sub(Type x, Type y) { return _mm512_sub_ps(x, y); }
  RESFLOW_VECTOR Type mul(Type x, Type y) { return _mm512_mul_ps(x, y); }
  RESFLOW_VECTOR Type max(Type x, Type y) { return _mm512_max_ps(x, y); }
  RESFLOW_VECTOR Type fma(Type x, Type y, Type z) { return _mm512_fmadd_ps(x, y, z); }
};

// 14 * 2 sums, 2 vectors of weights and a broadcast value: 31 of 32 registers.
constexpr int kRows = 14;
constexpr int kWeightRows = 8;

}  // namespace
}  // namespace resflow::winograd

#include "ops/kernels/winograd_kernels.inc"

namespace resflow::winograd {

const Kernels* avx512_kernels() { return &kKernels; }

}  // namespace resflow::winograd

#else

namespace resflow::winograd {

const Kernels* avx512_kernels() { return nullptr; }

}  // namespace resflow::winograd

#endif
