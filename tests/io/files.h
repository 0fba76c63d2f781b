// Whole files as strings, and arrays with values that no dtype's reader can mistake.
#pragma once

#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "io/array.h"

namespace resflow::testing {

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string bytes_of(const Array& array) { return {reinterpret_cast<const char*>(array.raw()), array.bytes()}; }

inline Array random_array(DType dtype, const Dims& dims, unsigned seed) {
  Array array(dtype, dims);
  std::mt19937 random(seed);
  for (size_t i = 0; i < array.bytes(); ++i) array.raw()[i] = static_cast<std::byte>(random());
  return array;
}

}  // namespace resflow::testing
