// Winograd's F(4x4, 3x3) convolution: 3x3 filters, stride 1, padding 1, no dilation, one group, in f32; src, dst
// and their gradients may be stored in bf16.
//
// Four times fewer multiplications than the direct sum (somewhat less where H or W is not a multiple of 4).
// Forward: dst = A^T [sum over c of (G g G^T) * (B^T d B)] A for each tile of 4x4 pixels; backward for src is a
// forward with the filters turned by 180 degrees and their channels exchanged; backward for weights is
// G^T [sum over tiles of (A diff_dst A^T) * (B^T d B)] G. A thread transforms a few tiles, multiplies, and transforms
// back while everything is in its caches; no whole tensor is ever written transformed.
//
// Shapes   src (N,C,H,W), weights (K,C,3,3), dst (N,K,H,W); C and K multiples of 16.
// Weights  and their gradient in the layout OIhw16i16o: [K/16][C/16][tap][16 c][16 k].
// Threads  a run splits its work into `threads` parts with fixed borders for the calling arena: the same bits for the
//          same number, however many really run.
// Memory   nothing is allocated in a run: the caller gives scratch_bytes() of scratch. All pointers are 64-byte
// aligned. Error    relative L2 of about 1e-6, two to three times that of the direct sum in f32 (see
// winograd_kernels.inc). Source   Lavin & Gray 2015, arXiv:1509.09308.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/kernels/winograd_kernels.h"

namespace resflow {

struct WinogradShape {
  int64_t N;
  int64_t C;
  int64_t K;
  int64_t H;
  int64_t W;
};

// Of src, dst and their gradients, which share it.
enum class WinogradLayout {
  kNhwc,
  kNChw16c,
  kNChw8c,    // only for kernels with vectors of 8
  kNhwcBf16,  // src, residual and dst, or their gradients; what is between them is f32, as weights are
};

// Whether there are kernels for this CPU and these channels.
bool winograd_applies(const WinogradShape& shape);

// Whether it is faster than a good direct convolution of the same storage, by a rule from measured times.
bool winograd_wins(const WinogradShape& shape, bool bf16 = false);

// How a block of tiles is cut, the same for both classes.
struct WinogradTiling {
  WinogradShape shape;
  int64_t down;    // tiles in an image: H / 4, rounded up
  int64_t across;  // W / 4, rounded up

  explicit WinogradTiling(const WinogradShape& shape);
  int64_t tiles() const { return shape.N * down * across; }

  // What a list of `tiles` tiles takes.
  static size_t list_bytes(int64_t tiles);
  // Tiles of `range`, in groups of `rows` at most, or in one group where rows is 0. The list is written to `place`.
  winograd::Block list(winograd::Range range, int64_t rows, void* place) const;
};

class WinogradForward {
 public:
  enum class Weights {
    kAsTheyAre,
    kTurned,  // for the gradient of src: by 180 degrees, and channels exchanged
  };

  // For the gradient of src the shape is the forward one with C and K exchanged, src is diff_dst and dst is diff_src.
  // `kernels` other than the CPU's best are for tests. REQUIRES: winograd_applies(shape), threads >= 1.
  WinogradForward(const WinogradShape& shape, WinogradLayout layout, Weights weights, int threads,
                  const winograd::Kernels& kernels = *winograd::cpu_kernels());

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

class WinogradBackwardWeights {
 public:
  // REQUIRES: winograd_applies(shape), threads >= 1.
  WinogradBackwardWeights(const WinogradShape& shape, WinogradLayout layout, int threads,
                          const winograd::Kernels& kernels = *winograd::cpu_kernels());

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
