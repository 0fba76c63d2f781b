// The limit on threads that the program keeps, however many places ask TBB for some.
//
// It holds for the whole process, so it belongs to the program: a library's function takes a number of threads.
#pragma once

#include <memory>

namespace resflow {

// Holds all of TBB to `threads` as long as it lives. Throws Error{kUsage} below 1. Warns on standard error where this
// process may use fewer CPUs (apps/machine/threads.h).
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
