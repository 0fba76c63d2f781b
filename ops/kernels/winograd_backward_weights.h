// The gradient of the weights of the Winograd convolution (winograd.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/kernels/winograd_tiling.h"

namespace resflow {

class WinogradBackwardWeights {
 public:
  // REQUIRES: winograd_applies(shape), threads >= 1.
  WinogradBackwardWeights(const WinogradShape& shape, WinogradLayout layout, int threads,
                          const winograd::Kernels& kernels = *winograd::best_kernels());

  size_t scratch_bytes() const;
  // src and diff_dst lie as the layout says.
  void run(const void* src, const void* diff_dst, float* diff_weights, void* scratch) const;

 private:
  void run_part(const void* src, const void* diff_dst, float* diff_weights, void* scratch, int64_t part) const;
  void add_parts(float* diff_weights, const void* scratch, int64_t part) const;

  WinogradTiling tiling_;
  WinogradShape shape_;
  winograd::Image src_;
  winograd::Image dst_;
  const winograd::Kernels* kernels_;
  int threads_;
  int64_t tile_parts_;
  int64_t panel_parts_;
  int64_t block_tiles_;
  int64_t block_channels_;
  int64_t V_floats_;
  int64_t W_floats_;
  int64_t D_floats_;
  int64_t part_bytes_;
};

}  // namespace resflow
