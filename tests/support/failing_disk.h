// A disk of which chosen files cannot be had for a while, for tests of who reads many files with several threads. A
// pause between attempts takes no time.
#pragma once

#include <cerrno>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "io/files/file.h"

namespace resflow::testing {

class FailingDisk : public FileSystem {
 public:
  static constexpr int kForEver = std::numeric_limits<int>::max();

  // The next `times` times that a file is opened whose path ends with `end`, that fails with `error`.
  void fail(const std::string& end, int error, int times = kForEver) {
    const std::lock_guard lock(mutex_);
    faults_.push_back({end, error, times});
  }
  void repair() {
    const std::lock_guard lock(mutex_);
    faults_.clear();
  }
  // Is called in each pause.
  void set_on_sleep(std::function<void()> on_sleep) { on_sleep_ = std::move(on_sleep); }

  double slept() const {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

  int open(const char* path, int flags, unsigned mode) override {
    {
      const std::lock_guard lock(mutex_);
      for (Fault& fault : faults_) {
        if (fault.times == 0 || !std::string(path).ends_with(fault.end)) continue;
        if (fault.times != kForEver) --fault.times;
        errno = fault.error;
        return -1;
      }
    }
    return FileSystem::open(path, flags, mode);
  }
  void sleep(double seconds) override {
    {
      const std::lock_guard lock(mutex_);
      slept_ += seconds;
    }
    if (on_sleep_) on_sleep_();
  }

 private:
  struct Fault {
    std::string end;
    int error = 0, times = 0;
  };

  mutable std::mutex mutex_;
  std::vector<Fault> faults_;
  double slept_ = 0;
  std::function<void()> on_sleep_;
};

}  // namespace resflow::testing
