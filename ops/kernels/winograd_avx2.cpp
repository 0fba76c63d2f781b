#include "ops/kernels/winograd_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define RESFLOW_TARGET __attribute__((target("avx2,fma")))
#define RESFLOW_VECTOR RESFLOW_TARGET __attribute__((always_inline)) static inline

namespace resflow::winograd {
namespace {

using V __attribute__((vector_size(32))) = float;
using Bits __attribute__((vector_size(32))) = uint32_t;
#define RESFLOW_ROUNDING RESFLOW_VECTOR
#include "ops/kernels/bf16_rounding.inc"

struct Vec {
  static constexpr const char* kName = "avx2";
  using Type = __m256;
  static constexpr int64_t kLanes = 8;
  RESFLOW_VECTOR Type load(const float* p) { return _mm256_loadu_ps(p); }
  RESFLOW_VECTOR void store(float* p, Type x) { _mm256_storeu_ps(p, x); }
  RESFLOW_VECTOR Type load(const Bf16* p) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  }
  RESFLOW_VECTOR void store(Bf16* p, Type x) {
    const __m256i whole = (__m256i)bf16_words((V)x);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1)));
  }
  // To memory, leaving out the caches; 64-byte aligned.
  RESFLOW_VECTOR void stream(float* p, Type x) { _mm256_stream_ps(p, x); }
  RESFLOW_VECTOR Type zero() { return _mm256_setzero_ps(); }
  RESFLOW_VECTOR Type set1(float x) { return _mm256_set1_ps(x); }
  RESFLOW_VECTOR Type add(Type x, Type y) { return _mm256_add_ps(x, y); }
  RESFLOW_VECTOR Type sub(Type x, Type y) { return _mm256_sub_ps(x, y); }
  RESFLOW_VECTOR Type mul(Type x, Type y) { return _mm256_mul_ps(x, y); }
  RESFLOW_VECTOR Type max(Type x, Type y) { return _mm256_max_ps(x, y); }
  RESFLOW_VECTOR Type fma(Type x, Type y, Type z) { return _mm256_fmadd_ps(x, y, z); }
};

// 6 * 2 sums, 2 vectors of weights and a broadcast value: 15 of 16 registers.
constexpr int kRows = 6;
constexpr int kWeightRows = 4;

}  // namespace
}  // namespace resflow::winograd

#include "ops/kernels/winograd_kernels.inc"

namespace resflow::winograd {

const Kernels* avx2_kernels() { return &kKernels; }

}  // namespace resflow::winograd

#else

namespace resflow::winograd {

const Kernels* avx2_kernels() { return nullptr; }

}  // namespace resflow::winograd

#endif
