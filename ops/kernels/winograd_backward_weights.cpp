#include "ops/kernels/winograd_backward_weights.h"

#include <algorithm>

namespace resflow {
namespace {

using winograd::Block;
using winograd::divide;
using winograd::image_of;
using winograd::kBlock;
using winograd::Kernels;
using winograd::kFilterBlock;
using winograd::kPad;
using winograd::kPoints;
using winograd::kTaps;
using winograd::Parts;
using winograd::quotient_up;

}  // namespace

WinogradBackwardWeights::WinogradBackwardWeights(const WinogradShape& shape, WinogradLayout layout, int threads,
                                                 const Kernels& kernels)
    : tiling_(shape),
      shape_(shape),
      src_(image_of(layout, shape.C, shape.H, shape.W)),
      dst_(image_of(layout, shape.K, shape.H, shape.W)),
      kernels_(&kernels),
      threads_(threads) {
  const int64_t panels = quotient_up(shape.K, kernels_->panel);
  // Every part of the tiles has a sum of its own: not for large weights.
  const int64_t fewest = shape.C * shape.K >= 256 * 256 ? tiling_.tiles() : 48;
  const Parts parts = divide(tiling_.tiles(), panels, threads, fewest);
  tile_parts_ = parts.tiles;
  panel_parts_ = parts.panels;
  const int64_t part_tiles = quotient_up(tiling_.tiles(), std::max<int64_t>(tile_parts_, 1));
  block_tiles_ = part_tiles <= 128 ? part_tiles : 64;
  block_channels_ = std::min<int64_t>(shape.C, 2 * kBlock);
  V_floats_ = kPoints * (shape.C * block_tiles_ + kPad);
  W_floats_ = kPoints * (quotient_up(panels, panel_parts_) * kernels_->panel * block_tiles_ + kPad);
  D_floats_ = kPoints * (block_channels_ * kernels_->panel + kPad);
  part_bytes_ = static_cast<int64_t>(sizeof(float)) * (V_floats_ + W_floats_ + D_floats_) +
                static_cast<int64_t>(WinogradTiling::list_bytes(block_tiles_));
}

size_t WinogradBackwardWeights::scratch_bytes() const {
  const int64_t sums = (tile_parts_ - 1) * shape_.C * shape_.K * kTaps;
  return static_cast<size_t>(threads_ * part_bytes_) + sizeof(float) * static_cast<size_t>(sums);
}

void WinogradBackwardWeights::run(const void* src, const void* diff_dst, float* diff_weights, void* scratch) const {
  parallel_parts(threads_, [&](int part) { run_part(src, diff_dst, diff_weights, scratch, part); });
  if (tile_parts_ > 1) parallel_parts(threads_, [&](int part) { add_parts(diff_weights, scratch, part); });
}

void WinogradBackwardWeights::run_part(const void* src, const void* diff_dst, float* diff_weights, void* scratch,
                                       int64_t part) const {
  if (part >= tile_parts_ * panel_parts_) return;
  const int64_t panel = kernels_->panel;
  const int64_t tile_part = part / panel_parts_;
  const Range tiles = part_of(tiling_.tiles(), tile_part, tile_parts_);
  const Range panels = part_of(quotient_up(shape_.K, panel), part % panel_parts_, panel_parts_);
  const int64_t k_begin = panels.begin * panel;
  const int64_t k_end = std::min(panels.end * panel, shape_.K);
  const int64_t c_blocks = shape_.C / kBlock;
  float* V = reinterpret_cast<float*>(static_cast<std::byte*>(scratch) + part * part_bytes_);
  float* W = V + V_floats_;
  float* D = W + W_floats_;
  void* list = D + D_floats_;
  // The first part of the tiles adds up in the result itself, the others in places of their own.
  float* sum = diff_weights;
  if (tile_part > 0) {
    sum = reinterpret_cast<float*>(static_cast<std::byte*>(scratch) + threads_ * part_bytes_) +
          (tile_part - 1) * shape_.C * shape_.K * kTaps;
  }
  const int64_t blocks = quotient_up(tiles.end - tiles.begin, block_tiles_);
  if (blocks == 0 && part % panel_parts_ == 0) std::fill_n(sum, shape_.C * shape_.K * kTaps, 0.0F);
  for (int64_t i = 0; i < blocks; ++i) {
    const Range here = part_of(tiles.end - tiles.begin, i, blocks);
    const Block block = tiling_.list({.begin = tiles.begin + here.begin, .end = tiles.begin + here.end}, 0, list);
    const int64_t V_point = shape_.C * block.count + kPad;
    const int64_t W_point = (k_end - k_begin) * block.count + kPad;
    kernels_->transform_src(src, src_, block, c_blocks, V, V_point);
    kernels_->transform_diff_dst(
        static_cast<const std::byte*>(diff_dst) + k_begin / kBlock * dst_.block * dst_.value_bytes(), dst_, block,
        (k_end - k_begin) / kBlock, W, W_point);
    for (int64_t c = 0; c < shape_.C; c += block_channels_) {
      const int64_t C = std::min(block_channels_, shape_.C - c);
      for (int64_t k = k_begin; k < k_end; k += panel) {
        const int64_t width = std::min(panel, k_end - k);
        const int64_t D_point = C * width + kPad;
        kernels_->multiply_weights(V + c * block.count, V_point, W + (k - k_begin) * block.count, W_point, block,
                                   C / kBlock, width, D, D_point);
        for (int64_t row = 0; row < C; row += kBlock) {
          for (int64_t column = 0; column < width; column += kBlock) {
            const int64_t place = (k + column) / kBlock * c_blocks + (c + row) / kBlock;
            kernels_->transform_diff_weights(D + row * width + column, D_point, width, i > 0,
                                             sum + place * kFilterBlock);
          }
        }
      }
    }
  }
}

void WinogradBackwardWeights::add_parts(float* diff_weights, const void* scratch, int64_t part) const {
  const int64_t size = shape_.C * shape_.K * kTaps;
  const Range range = part_of(size / kBlock, part, threads_);
  const auto* sums = reinterpret_cast<const float*>(static_cast<const std::byte*>(scratch) + threads_ * part_bytes_);
  for (int64_t other = 0; other < tile_parts_ - 1; ++other) {
    const float* from = sums + other * size;
    for (int64_t i = range.begin * kBlock; i < range.end * kBlock; ++i) diff_weights[i] += from[i];
  }
}

}  // namespace resflow
