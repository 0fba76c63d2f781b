#include "pipeline/pixels/simd.h"

namespace resflow {

bool simd_supported(Simd simd) {
  switch (simd) {
    case Simd::kPlain:
      return true;
    case Simd::kAvx2:
      return __builtin_cpu_supports("avx2") != 0;
    case Simd::kAvx512:
      return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi") != 0 &&
             __builtin_cpu_supports("avx512vnni") != 0;
  }
  return false;
}

Simd best_simd() {
  static const Simd best = simd_supported(Simd::kAvx512) ? Simd::kAvx512
                           : simd_supported(Simd::kAvx2) ? Simd::kAvx2
                                                         : Simd::kPlain;
  return best;
}

}  // namespace resflow
