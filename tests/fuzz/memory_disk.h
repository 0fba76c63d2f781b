// A file system for the writers, without a disk: what is written goes to one file in memory.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "io/files/file.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {

class MemoryDisk : public FileSystem {
 public:
  // What was written last.
  std::string path() const { return file_.path(); }

  int open(const char* path, int flags, unsigned mode) override {
    if ((flags & O_CREAT) == 0) return FileSystem::open(path, flags, mode);
    return FileSystem::open(file_.path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC, mode);
  }
  int fsync(int) override { return 0; }
  int rename(const char*, const char*) override { return 0; }
  int unlink(const char*) override { return 0; }
  int lstat(const char*, struct stat* status) override { return FileSystem::stat(file_.path().c_str(), status); }
  int flock(int, int) override { return 0; }
  int64_t free_bytes(const char*) override { return -1; }

 private:
  MemoryFile file_;
};

}  // namespace resflow::fuzzing
