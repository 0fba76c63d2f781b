// What both directions of the Winograd convolution (winograd.h) share: the shape, where values lie, the list of tiles,
// and how threads divide the work.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/kernels/parallel.h"
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

// How the tiles of a tensor are listed, the same for WinogradForward and WinogradBackwardWeights.
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

namespace winograd {

constexpr int64_t kFilterBlock = kTaps * kBlock * kBlock;
// One cache line between points, so that the 36 vectors of a tile do not fall into the same set of a cache.
constexpr int64_t kPad = 16;

constexpr int64_t quotient_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit; }

Image image_of(WinogradLayout layout, int64_t channels, int64_t H, int64_t W);

// Points that the last tile needs in a direction of `size` pixels.
int64_t last_points(int64_t size);

// How threads divide the work: each has a part of the tiles and a part of the panels.
struct Parts {
  int64_t tiles;
  int64_t panels;
};

// As many parts of the tiles as leave `fewest` in each, and parts of the panels that leave nobody waiting for more than
// a twentieth.
Parts divide(int64_t tiles, int64_t panels, int64_t threads, int64_t fewest);

}  // namespace winograd
}  // namespace resflow
