// The JSON header of a safetensors file: which tensor lies where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/named_array.h"
#include "io/weights/safetensors.h"

namespace resflow {

struct SafetensorsHeader {
  struct Entry {
    TensorEntry tensor;
    uint64_t begin = 0, end = 0;  // bytes behind the header
  };
  std::vector<Entry> entries;  // as the header lists them
  Metadata metadata;
};

// Every entry of the result has a name of its own. Each lies in the `value_bytes` behind the header, in as many bytes
// as its dims and dtype take, and together they cover those bytes without a gap. Throws Error{kData} without the file's
// name.
SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t value_bytes);

// The JSON, padded with spaces so that the values, which follow its length and itself, start at a multiple of 8 bytes.
// Throws Error{kUsage} where a name or metadata cannot stand in it.
std::string format_safetensors_header(const SafetensorsHeader& header);

inline constexpr uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;

}  // namespace resflow
