// What a fuzz target needs: its input as a file, and the rule of what a reader may do with it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "io/core/error.h"
#include "tests/support/memory_file.h"

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

}  // namespace resflow::fuzzing
