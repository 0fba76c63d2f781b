#include "io/core/convert_dtype.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

float from_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000U} << 16;
  const uint32_t exponent = bits >> 10 & 0x1FU, fraction = bits & 0x3FFU;
  if (exponent == 0) {  // zeros and denormals, which f32 has as normal numbers
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24F));
  }
  const uint32_t wider = exponent == 0x1F ? 0xFF : exponent + 127 - 15;  // all ones: infinite or NaN
  return std::bit_cast<float>(sign | wider << 23 | fraction << 13);
}

float from_f64(double value) {
  static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);
  return static_cast<float>(value);
}

// Beyond what an i64 holds, its limits.
int64_t to_integer(float value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63F) return std::numeric_limits<int64_t>::max();
  if (value <= -0x1p63F) return std::numeric_limits<int64_t>::min();
  return std::llround(value);
}

template <class From, class To, class Convert>
Array converted(const Array& array, Convert convert) {
  Array to(dtype_of<To>(), array.dims());
  const auto* const values = reinterpret_cast<const From*>(array.raw());
  const std::span<To> out = to.values<To>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = convert(values[i]);
  return to;
}

}  // namespace

Array as_model_dtype(Array array) {
  const auto widen = [](auto value) { return static_cast<int64_t>(value); };
  switch (array.dtype()) {
    case DType::kF16:
      return converted<uint16_t, float>(array, from_f16);
    case DType::kBF16:
      return converted<uint16_t, float>(array, from_bf16);
    case DType::kF64:
      return converted<double, float>(array, from_f64);
    case DType::kU8:
      return converted<uint8_t, int64_t>(array, widen);
    case DType::kI32:
      return converted<int32_t, int64_t>(array, widen);
    case DType::kF32:
    case DType::kI64:
      break;
  }
  return array;
}

Array as_model_tensor(Array array, DType dtype, const Dims& dims) {
  Array taken = as_model_dtype(std::move(array));
  if (dtype == DType::kI64 && taken.dtype() == DType::kF32) taken = converted<float, int64_t>(taken, to_integer);
  if (taken.dtype() != dtype || taken.size() != element_count(dims))
    throw internal_error("{} {} cannot become {} {}", dtype_name(taken.dtype()), to_string(taken.dims()),
                         dtype_name(dtype), to_string(dims));
  if (taken.dims() == dims) return taken;
  Array shaped = Array::unset(dtype, dims);
  std::memcpy(shaped.raw(), taken.raw(), taken.bytes());
  return shaped;
}

}  // namespace resflow
