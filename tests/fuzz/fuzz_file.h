// What a fuzz target needs: its input as a file, and the rule of what a reader may do with it.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "io/error.h"

namespace resflow::fuzzing {

[[noreturn]] inline void finding(const std::string& what) {
  std::fprintf(stderr, "finding: %s\n", what.c_str());
  std::abort();
}

// A file in memory, which has a path like any other.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("input", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_)) {
    if (file_ < 0) finding("no memfd");
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  const std::string& path() const { return path_; }

  void set(std::span<const uint8_t> bytes) {
    if (ftruncate(file_, 0) != 0 || pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      finding("the memfd cannot be written");
  }

 private:
  int file_;
  std::string path_;
};

// Runs `read`, which may refuse the file as bad data and do nothing else. True where it took it.
template <class Read>
bool accepts(Read read) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    // Anything else would blame the user or the machine for what a file says.
    if (error.kind() != ErrorKind::kData) finding(error.what());
    return false;
  }
}

}  // namespace resflow::fuzzing
