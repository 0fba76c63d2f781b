// One owner at a time of what lies beside a file that says who the owner is.
#pragma once

#include <string>

#include "io/files/file.h"

namespace resflow {

// Locks the file at `path` (flock), which it makes and removes again. It says who holds it: "process 4711 on host since
// 2026-01-31 12:00:00 UTC". A process that is killed leaves the file, but not the lock. Where the file system has no
// locks, the file itself is the lock, and is taken over where its process is gone.
class FileLock {
 public:
  // Throws Error{kUsage} "WHAT is in use by ..." where another holds it, where there is no permission, and where the
  // path is a link; Error{kSystem} where the machine fails.
  FileLock(std::string path, const std::string& what, FileSystem& files = machine_files());
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // False where the file system has no locks: a process on another machine is known by the file alone.
  bool is_real() const { return real_; }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& advice) const;
  std::string owner() const;

  std::string path_;
  FileSystem& files_;
  int file_ = -1;
  bool real_ = true;
};

}  // namespace resflow
