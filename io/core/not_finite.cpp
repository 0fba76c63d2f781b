#include "io/core/not_finite.h"

#include <cstdint>

namespace resflow {
namespace {

// By the bits, which hold for every float format: the exponent is all ones, and an infinity has no fraction.
template <class Bits>
NotFinite count(const Array& array, int fraction_bits) {
  constexpr Bits kSign = static_cast<Bits>(Bits{1} << (sizeof(Bits) * 8 - 1));
  const auto infinity = static_cast<Bits>((kSign - 1) >> fraction_bits << fraction_bits);
  const auto* const values = reinterpret_cast<const Bits*>(array.raw());
  NotFinite found;
  for (int64_t i = 0; i < array.size(); ++i) {
    const auto magnitude = static_cast<Bits>(values[i] & (kSign - 1));
    found.nan += magnitude > infinity ? 1 : 0;
    found.infinite += magnitude == infinity ? 1 : 0;
  }
  return found;
}

}  // namespace

NotFinite count_not_finite(const Array& array) {
  switch (array.dtype()) {
    case DType::kF16:
      return count<uint16_t>(array, 10);
    case DType::kBF16:
      return count<uint16_t>(array, 7);
    case DType::kF32:
      return count<uint32_t>(array, 23);
    case DType::kF64:
      return count<uint64_t>(array, 52);
    case DType::kU8:
    case DType::kI32:
    case DType::kI64:
      break;
  }
  return {};
}

}  // namespace resflow
