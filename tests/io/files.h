// Text and arrays as bytes, and arrays with values that no dtype's reader can mistake.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "io/core/array.h"

namespace resflow::testing {

inline std::string bytes_of(const Array& array) { return {reinterpret_cast<const char*>(array.raw()), array.bytes()}; }

inline std::span<const uint8_t> span_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string hex_digits(std::string_view bytes) {
  std::string digits;
  for (const char c : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

inline Array random_array(DType dtype, const Dims& dims, unsigned seed) {
  Array array(dtype, dims);
  std::mt19937 random(seed);
  for (size_t i = 0; i < array.bytes(); ++i) array.raw()[i] = static_cast<std::byte>(random());
  return array;
}

}  // namespace resflow::testing
