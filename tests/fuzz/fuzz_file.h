// What a fuzz target needs: its input as a file, and the rule of what a reader may do with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "io/core/error.h"
#include "tests/support/memory_file.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace resflow::fuzzing {

[[noreturn]] inline void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::abort();
}

using testing::MemoryFile;

// Runs `read`, which may refuse the file as bad data and do nothing else (of options in a file: as wrong usage). True
// where it took it.
template <class Read>
bool accepts(Read read, ErrorKind refusal = ErrorKind::kData) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    // Anything else would blame the user or the machine for what a file says.
    if (error.kind() != refusal) finding(error.what());
    return false;
  }
}

// A mutator that makes the file right again where its format would hide the rest of it behind a checksum: `repair`
// takes the span of its bytes, which keeps its length. Each `rarely`-th file stays as it is.
template <class Repair>
size_t mutate_and_repair(uint8_t* data, size_t size, size_t max_size, unsigned seed, unsigned rarely, Repair repair) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % rarely != 0) repair(std::span(data, size));
  return size;
}

// Writes `value` at this byte of the file, as it lies in memory.
template <class Value>
void put(std::span<uint8_t> file, size_t at, const Value& value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

}  // namespace resflow::fuzzing
