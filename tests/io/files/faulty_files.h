// A disk that fails at a chosen call, for the tests of what must survive it.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/files/file.h"

namespace resflow::testing {

class FaultyFiles : public FileSystem {
 public:
  // The `nth` call (from 1) of `name`, and all later ones, or `times` in all, fail with `error`.
  void fail(const std::string& name, int nth, int error, int times = std::numeric_limits<int>::max()) {
    faults_[name] = {nth, error, times};
  }
  // That call alone fails.
  void fail_once(const std::string& name, int nth, int error) { fail(name, nth, error, 1); }
  void set_free_bytes(int64_t bytes) { free_ = bytes; }
  int calls(const std::string& name) { return counts_[name]; }
  // All calls that change or sync something, in order.
  const std::vector<std::string>& log() const { return log_; }
  // From this offset on a file ends when it is read, whatever its size was when it was opened.
  void shrink_to(int64_t bytes) { shrunk_ = bytes; }
  // write and pwrite take at most so many bytes at once.
  void set_write_limit(size_t bytes) { write_limit_ = bytes; }

  int open(const char* path, int flags, unsigned mode) override {
    return fails("open") ? -1 : FileSystem::open(path, flags, mode);
  }
  int64_t pread(int file, void* bytes, size_t count, int64_t offset) override {
    if (fails("pread")) return -1;
    if (shrunk_ && offset >= *shrunk_) return 0;
    if (shrunk_) count = std::min(count, static_cast<size_t>(*shrunk_ - offset));
    return FileSystem::pread(file, bytes, count, offset);
  }
  int64_t write(int file, const void* bytes, size_t count) override {
    if (write_limit_ == 0) return 0;
    return fails("write") ? -1 : FileSystem::write(file, bytes, std::min(count, write_limit_));
  }
  int64_t pwrite(int file, const void* bytes, size_t count, int64_t offset) override {
    return fails("pwrite") ? -1 : FileSystem::pwrite(file, bytes, std::min(count, write_limit_), offset);
  }
  int ftruncate(int file, int64_t bytes) override {
    return fails("ftruncate") ? -1 : FileSystem::ftruncate(file, bytes);
  }
  int fsync(int file) override {
    log_.emplace_back("fsync");
    return fails("fsync") ? -1 : FileSystem::fsync(file);
  }
  int close(int file) override {
    const int closed = FileSystem::close(file);  // closes even where it tells of an error
    return fails("close") ? -1 : closed;
  }
  int rename(const char* from, const char* to) override {
    log_.emplace_back("rename");
    return fails("rename") ? -1 : FileSystem::rename(from, to);
  }
  int link(const char* from, const char* to) override { return fails("link") ? -1 : FileSystem::link(from, to); }
  int unlink(const char* path) override { return fails("unlink") ? -1 : FileSystem::unlink(path); }
  int allocate(int file, int64_t bytes) override { return fails("allocate") ? -1 : FileSystem::allocate(file, bytes); }
  int flock(int file, int operation) override { return fails("flock") ? -1 : FileSystem::flock(file, operation); }
  int stat(const char* path, struct stat* status) override {
    return fails("stat") ? -1 : FileSystem::stat(path, status);
  }
  int lstat(const char* path, struct stat* status) override {
    return fails("lstat") ? -1 : FileSystem::lstat(path, status);
  }
  int fstat(int file, struct stat* status) override { return fails("fstat") ? -1 : FileSystem::fstat(file, status); }
  int fchmod(int file, unsigned mode) override { return fails("fchmod") ? -1 : FileSystem::fchmod(file, mode); }
  int fchown(int file, unsigned owner, unsigned group) override {
    return fails("fchown") ? -1 : FileSystem::fchown(file, owner, group);
  }
  int access(const char* path, int mode) override { return fails("access") ? -1 : FileSystem::access(path, mode); }
  int mkdir(const char* path, unsigned mode) override { return fails("mkdir") ? -1 : FileSystem::mkdir(path, mode); }
  int rmdir(const char* path) override { return fails("rmdir") ? -1 : FileSystem::rmdir(path); }
  int exchange(const char* one, const char* other) override {
    log_.emplace_back("exchange");
    return fails("exchange") ? -1 : FileSystem::exchange(one, other);
  }
  void sleep(double seconds) override { slept_.push_back(seconds); }
  const std::vector<double>& slept() const { return slept_; }  // how long each pause was
  int64_t free_bytes(const char* folder) override { return free_ ? *free_ : FileSystem::free_bytes(folder); }

 private:
  struct Fault {
    int nth = 0, error = 0, times = 0;
  };

  bool fails(const std::string& name) {
    const int count = ++counts_[name];
    const auto fault = faults_.find(name);
    if (fault == faults_.end() || count < fault->second.nth || count - fault->second.nth >= fault->second.times)
      return false;
    errno = fault->second.error;
    return true;
  }

  std::map<std::string, Fault> faults_;
  std::map<std::string, int> counts_;
  std::vector<std::string> log_;
  std::vector<double> slept_;
  std::optional<int64_t> free_, shrunk_;
  size_t write_limit_ = SIZE_MAX;
};

}  // namespace resflow::testing
