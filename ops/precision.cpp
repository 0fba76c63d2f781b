#include "ops/precision.h"

#include <algorithm>
#include <cmath>

#include "io/core/error.h"

namespace resflow {
std::string precision_name(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
    case Precision::kF32:
      break;
  }
  return "f32";
}

Precision precision_of_name(const std::string& name) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8})
    if (name == precision_name(precision)) return precision;
  throw usage_error("precision {}: wanted f32, bf16 or int8", name);
}

std::string precision_obstacle(Precision precision, dnnl::cpu_isa isa) {
  if (precision == Precision::kBf16 && !contains(isa, dnnl::cpu_isa::avx512_core_bf16) &&
      !contains(isa, dnnl::cpu_isa::avx2_vnni_2))
    return "this CPU has no bf16 instructions (avx512_bf16, amx or avx_ne_convert)";
  if (precision == Precision::kInt8 && !contains(isa, dnnl::cpu_isa::avx512_core_vnni) &&
      !contains(isa, dnnl::cpu_isa::avx2_vnni))
    return "this CPU has no int8 instructions (avx512_vnni or avx_vnni)";
  return {};
}

bool bf16_has_tiles(dnnl::cpu_isa isa) { return contains(isa, dnnl::cpu_isa::avx512_core_amx); }

Storage eight_bits(float low, float high) {
  using Type = dnnl::memory::data_type;
  constexpr float kMaxU8 = 255, kMaxS8 = 127;
  const bool positive = low >= 0;
  const float scale = positive ? high / kMaxU8 : std::max(-low, high) / kMaxS8;
  // An edge that is always zero may have any scale, but none that cannot be divided by.
  return {positive ? Type::u8 : Type::s8, scale >= std::numeric_limits<float>::min() ? scale : 1.0F};
}

}  // namespace resflow
