#include "io/core/cpu.h"

namespace resflow {

CpuFeatures features_of_this_cpu() {
  CpuFeatures has;
#if defined(__x86_64__)
  has.avx2 = __builtin_cpu_supports("avx2") != 0;
  has.fma = __builtin_cpu_supports("fma") != 0;
  has.avx512f = __builtin_cpu_supports("avx512f") != 0;
  has.avx512dq = __builtin_cpu_supports("avx512dq") != 0;
  has.avx512vl = __builtin_cpu_supports("avx512vl") != 0;
  has.avx512bw = __builtin_cpu_supports("avx512bw") != 0;
  has.avx512vbmi = __builtin_cpu_supports("avx512vbmi") != 0;
  has.avx512vnni = __builtin_cpu_supports("avx512vnni") != 0;
#endif
  return has;
}

Isa highest_isa(const CpuFeatures& has) {
  if (!has.avx2 || !has.fma) return Isa::kPlain;
  if (!has.avx512f || !has.avx512dq || !has.avx512vl) return Isa::kAvx2;
  return has.avx512bw && has.avx512vbmi && has.avx512vnni ? Isa::kAvx512Vnni : Isa::kAvx512;
}

Isa cpu_isa() {
  static const Isa isa = highest_isa(features_of_this_cpu());
  return isa;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kPlain:
      return "plain";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "plain";
}

}  // namespace resflow
