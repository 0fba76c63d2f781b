// One block of zeros for everything a Plan computes: 2 MiB aligned, on huge pages where the system gives them,
// first touched by the threads that compute in it.
#pragma once

#include <cstddef>

#include "ops/compute.h"

namespace resflow {

class Arena {
 public:
  // Throws Error{kSystem} where the memory is not to be had: bytes wanted.
  Arena(size_t bytes, const Compute& compute);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace resflow
