// A failing machine told from a file that is not as it should be, and how often the machine is asked again.
//
// A file that is absent, that nobody may read or that is damaged is so at every attempt: it is data that cannot be
// used. A disk that does not answer, a network that is gone, a process without file handles or memory say nothing about
// the file, and may have passed a moment later.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "io/core/error.h"
#include "io/files/file.h"

namespace resflow {

// Whether `error`, a value of errno that a reading call has set, speaks of the machine and not of the file. The only
// place that knows which ones do.
bool is_machine_failure(int error);

// kSystem where `error` is one of those, and else `otherwise`.
inline ErrorKind failure_kind(int error, ErrorKind otherwise) {
  return is_machine_failure(error) ? ErrorKind::kSystem : otherwise;
}

// The attempts at one call. What was interrupted is tried again at once, and what the machine failed after a pause
// of the FileSystem's, as often as that has one.
//
//   Attempts attempts(files);
//   while ((file = files.open(...)) < 0)
//     if (!attempts.again(errno)) break;
class Attempts {
 public:
  explicit Attempts(FileSystem& files) : files_(files) {}

  // After a call that failed with `error`: whether to call again. Keeps errno as `error` where not.
  bool again(int error);

 private:
  FileSystem& files_;
  int failed_ = 0, interrupted_ = 0;
};

// What `call` returns, which is negative and sets errno where it fails: in the end, after all Attempts.
template <class Call>
auto persistently(FileSystem& files, const Call& call) {
  Attempts attempts(files);
  for (;;) {
    const auto result = call();
    if (result >= 0 || !attempts.again(errno)) return result;
  }
}

// What `read` returns, which opens and reads a file: anew, where its server knew the open one no more.
template <class Read>
auto with_fresh_file(FileSystem& files, const Read& read) {
  Attempts attempts(files);
  for (;;) {
    try {
      return read();
    } catch (const StaleFile&) {
      if (!attempts.again(ESTALE)) throw;
    }
  }
}

// Reads by another FileSystem, with longer pauses, which end where `stop` says so: it is asked ten times a second, by
// any thread.
class PatientFiles : public FileSystem {
 public:
  // `files` outlives it.
  PatientFiles(FileSystem& files, std::function<bool()> stop) : files_(files), stop_(std::move(stop)) {}

  int open(const char* path, int flags, unsigned mode) override { return files_.open(path, flags, mode); }
  int64_t pread(int file, void* bytes, size_t count, int64_t offset) override {
    return files_.pread(file, bytes, count, offset);
  }
  int fstat(int file, struct stat* status) override { return files_.fstat(file, status); }
  int close(int file) override { return files_.close(file); }
  bool pause(int failed) override;
  void sleep(double seconds) override { files_.sleep(seconds); }

 private:
  FileSystem& files_;
  std::function<bool()> stop_;
};

}  // namespace resflow
