// The forward direction of the Winograd convolution (winograd.h), which is the gradient of src, too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/kernels/winograd_tiling.h"

namespace resflow {

class WinogradForward {
 public:
  enum class Weights {
    kAsTheyAre,
    kTurned,  // for the gradient of src: by 180 degrees, and channels exchanged
  };

  // For the gradient of src the shape is the forward one with C and K exchanged, src is diff_dst and dst is diff_src.
  // REQUIRES: winograd_applies(shape), threads >= 1.
  WinogradForward(const WinogradShape& shape, WinogradLayout layout, Weights weights, int threads,
                  const winograd::Kernels& kernels = *winograd::best_kernels());

  size_t scratch_bytes() const;

  // The weights are transformed once for each of their values, or, where that is less work than to fetch the result
  // from memory, within each run: then weights_bytes() is 0 and there is no need to call transform_weights.
  size_t weights_bytes() const;
  void transform_weights(const float* weights, float* transformed) const;

  struct Arguments {
    const void* src = nullptr;  // as the layout says, like residual and dst
    const float* weights = nullptr;
    const float* transformed_weights = nullptr;  // not read where weights_bytes() is 0
    const float* bias = nullptr;                 // (K), or none
    const void* residual = nullptr;              // or none; lies as dst and may be dst
    bool relu = false;                           // after bias and residual
    void* dst = nullptr;
    void* scratch = nullptr;
  };
  void run(const Arguments& arguments) const;

 private:
  struct Panels;
  void transform_panels(const float* weights, const Panels& panels, float* U, int64_t U_point) const;
  void run_part(const Arguments& arguments, int64_t part) const;

  WinogradTiling tiling_;
  WinogradShape shape_;
  winograd::Image src_;
  winograd::Image dst_;
  const winograd::Kernels* kernels_;
  Weights weights_;
  int threads_;
  int64_t tile_parts_;  // times panel_parts are threads, or less
  int64_t panel_parts_;
  int64_t block_tiles_;     // transformed at a time, at most
  int64_t block_panels_;    // multiplied at a time, at most
  int64_t block_channels_;  // of src, the same
  bool transforms_in_run_;
  int64_t U_point_;
  int64_t V_floats_;  // of one thread's scratch
  int64_t M_floats_;
  int64_t U_floats_;
  int64_t part_bytes_;
};

}  // namespace resflow
