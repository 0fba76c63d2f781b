// A file in memory with a path of its own, for what writes a file many thousand times.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace resflow::testing {

class MemoryFile {
 public:
  MemoryFile() : file_(::memfd_create("resflow", MFD_CLOEXEC)) {
    if (file_ < 0) throw std::runtime_error("memfd_create failed");
  }
  ~MemoryFile() { ::close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Replaces the content.
  void set(const void* bytes, size_t count) {
    const bool done = ::ftruncate(file_, static_cast<off_t>(count)) == 0 &&
                      ::pwrite(file_, bytes, count, 0) == static_cast<ssize_t>(count);
    if (!done) throw std::runtime_error("a file in memory cannot be written");
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace resflow::testing
