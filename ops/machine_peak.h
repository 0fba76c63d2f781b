// What this machine can do at most, measured: multiply-adds by oneDNN's product of two matrices, bytes by a triad.
//
// The roof over every layer: it takes at least operations / GemmPeak and bytes / MemoryPeak.
#pragma once

#include <cstdint>

#include "ops/primitive.h"

namespace resflow {

// C = A B of square f32 matrices, large enough that memory does not hold it back.
class GemmPeak {
 public:
  // Checks the product against whole-number sums: Error{kInternal} where it is wrong. `side` 0: chosen by the threads.
  explicit GemmPeak(const Compute& compute, int64_t side = 0);

  int64_t side() const { return side_; }
  // Runs for `seconds`, once at least. Returns 10^9 operations a second, two a multiply-add.
  double run(double seconds);

 private:
  void check() const;

  const Compute& compute_;
  int64_t side_;
  Tensor a_, b_, c_, scratchpad_;
  Call call_;
};

// a = b + 3 c of three f32 vectors that no cache holds, as in McCalpin's STREAM: 12 bytes an element are counted,
// what stores fetch first is not.
class MemoryPeak {
 public:
  explicit MemoryPeak(const Compute& compute, int64_t elements = int64_t{1} << 25);

  // Runs for `seconds`, once at least. Returns 10^9 bytes a second.
  double run(double seconds);

 private:
  void triad() const;

  const Compute& compute_;
  int64_t elements_;
  Tensor a_, b_, c_;
};

}  // namespace resflow
