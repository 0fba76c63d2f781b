#include "ops/kernels/winograd_forward.h"

#include <algorithm>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

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

// Transformed weights that are written to memory at once: 37 MiB for 512 channels, while 256 have 9.
constexpr size_t kTooLargeForCaches = size_t{16} << 20;

// 16 x 16 floats.
void transpose_block(const float* from, float* to) {
#if defined(__x86_64__)
  for (int64_t i = 0; i < kBlock; i += 4) {
    for (int64_t j = 0; j < kBlock; j += 4) {
      __m128 row0 = _mm_loadu_ps(from + (i + 0) * kBlock + j);
      __m128 row1 = _mm_loadu_ps(from + (i + 1) * kBlock + j);
      __m128 row2 = _mm_loadu_ps(from + (i + 2) * kBlock + j);
      __m128 row3 = _mm_loadu_ps(from + (i + 3) * kBlock + j);
      _MM_TRANSPOSE4_PS(row0, row1, row2, row3);
      _mm_storeu_ps(to + (j + 0) * kBlock + i, row0);
      _mm_storeu_ps(to + (j + 1) * kBlock + i, row1);
      _mm_storeu_ps(to + (j + 2) * kBlock + i, row2);
      _mm_storeu_ps(to + (j + 3) * kBlock + i, row3);
    }
  }
#else
  for (int64_t i = 0; i < kBlock; ++i) {
    for (int64_t j = 0; j < kBlock; ++j) to[j * kBlock + i] = from[i * kBlock + j];
  }
#endif
}

}  // namespace

WinogradForward::WinogradForward(const WinogradShape& shape, WinogradLayout layout, Weights weights, int threads,
                                 const Kernels& kernels)
    : tiling_(shape),
      shape_(shape),
      src_(image_of(layout, shape.C, shape.H, shape.W)),
      dst_(image_of(layout, shape.K, shape.H, shape.W)),
      kernels_(&kernels),
      weights_(weights),
      threads_(threads) {
  const int64_t panels = quotient_up(shape.K, kernels_->panel);
  // With fewer tiles a thread would fetch the weights from far away for too little work.
  constexpr int64_t kFewestTiles = 64;
  const Parts parts = divide(tiling_.tiles(), panels, threads, kFewestTiles);
  tile_parts_ = parts.tiles;
  panel_parts_ = parts.panels;
  const int64_t part_tiles = quotient_up(tiling_.tiles(), std::max<int64_t>(tile_parts_, 1));
  const int64_t part_panels = quotient_up(panels, panel_parts_);
  // Weights are transformed when they are needed, by who needs them, where that is once.
  transforms_in_run_ = tile_parts_ == 1 && part_tiles <= 2 * kFewestTiles;
  if (transforms_in_run_) {
    block_tiles_ = part_tiles;
    block_panels_ = std::min<int64_t>(part_panels, 1);
    block_channels_ = std::min<int64_t>(shape.C, 128);
  } else {
    // What is transformed of the tiles stays in a cache of 1 MiB where the weights do too; many channels take the
    // next one anyhow.
    const bool few_channels = shape.C * shape.K <= 128 * 128;
    block_tiles_ = std::min<int64_t>(part_tiles, few_channels ? 56 : 96);
    block_panels_ = std::min<int64_t>(part_panels, few_channels ? 2 : part_panels);
    block_channels_ = shape.C;
  }
  U_point_ = shape.C * shape.K + kPad;
  V_floats_ = kPoints * (shape.C * block_tiles_ + kPad);
  M_floats_ = kPoints * (block_panels_ * kernels_->panel * block_tiles_ + kPad);
  U_floats_ = transforms_in_run_ ? kPoints * (block_panels_ * kernels_->panel * block_channels_ + kPad) : 0;
  part_bytes_ = static_cast<int64_t>(sizeof(float)) * (V_floats_ + M_floats_ + U_floats_) +
                static_cast<int64_t>(WinogradTiling::list_bytes(block_tiles_));
}

size_t WinogradForward::scratch_bytes() const { return static_cast<size_t>(threads_ * part_bytes_); }

size_t WinogradForward::weights_bytes() const {
  return transforms_in_run_ ? 0 : sizeof(float) * static_cast<size_t>(kPoints * U_point_);
}

// A rectangle of the weights, in channels.
struct WinogradForward::Panels {
  Range c;
  Range k;
};

// To U of that rectangle alone.
void WinogradForward::transform_panels(const float* weights, const Panels& panels, float* U, int64_t U_point) const {
  const int64_t c_blocks = shape_.C / kBlock;
  const int64_t k_blocks = shape_.K / kBlock;
  const bool past_caches = weights_bytes() > kTooLargeForCaches;
  alignas(64) float turned[kFilterBlock];
  for (int64_t first = panels.k.begin; first < panels.k.end; first += kernels_->panel) {
    const int64_t width = std::min(kernels_->panel, panels.k.end - first);
    float* U_panel = U + (first - panels.k.begin) * (panels.c.end - panels.c.begin);
    for (int64_t c = panels.c.begin; c < panels.c.end; c += kBlock) {
      for (int64_t k = first; k < first + width; k += kBlock) {
        const float* filters = weights + (k / kBlock * c_blocks + c / kBlock) * kFilterBlock;
        if (weights_ == Weights::kTurned) {
          filters = weights + (c / kBlock * k_blocks + k / kBlock) * kFilterBlock;
          for (int64_t tap = 0; tap < kTaps; ++tap) {
            transpose_block(filters + (kTaps - 1 - tap) * kBlock * kBlock, turned + tap * kBlock * kBlock);
          }
          filters = turned;
        }
        kernels_->transform_weights(filters, U_panel + (c - panels.c.begin) * width + (k - first), U_point, width,
                                    past_caches);
      }
    }
  }
}

void WinogradForward::transform_weights(const float* weights, float* transformed) const {
  if (transforms_in_run_) return;
  const int64_t panel = kernels_->panel;
  parallel_parts(threads_, [&](int part) {
    const Range panels = part_of(quotient_up(shape_.K, panel), part, threads_);
    const Range k{.begin = panels.begin * panel, .end = std::min(panels.end * panel, shape_.K)};
    transform_panels(weights, {.c = {.begin = 0, .end = shape_.C}, .k = k}, transformed + k.begin * shape_.C, U_point_);
  });
}

void WinogradForward::run(const Arguments& arguments) const {
  parallel_parts(threads_, [&](int part) { run_part(arguments, part); });
}

void WinogradForward::run_part(const Arguments& arguments, int64_t part) const {
  if (part >= tile_parts_ * panel_parts_) return;
  const int64_t panel = kernels_->panel;
  const Range tiles = part_of(tiling_.tiles(), part / panel_parts_, tile_parts_);
  const Range panels = part_of(quotient_up(shape_.K, panel), part % panel_parts_, panel_parts_);
  const int64_t k_end = std::min(panels.end * panel, shape_.K);
  float* V = reinterpret_cast<float*>(static_cast<std::byte*>(arguments.scratch) + part * part_bytes_);
  float* M = V + V_floats_;
  float* U = M + M_floats_;
  void* list = U + U_floats_;
  const int64_t blocks = quotient_up(tiles.end - tiles.begin, block_tiles_);
  for (int64_t i = 0; i < blocks; ++i) {
    const Range here = part_of(tiles.end - tiles.begin, i, blocks);
    const Block block =
        tiling_.list({.begin = tiles.begin + here.begin, .end = tiles.begin + here.end}, kernels_->rows, list);
    const int64_t V_point = shape_.C * block.count + kPad;
    kernels_->transform_src(arguments.src, src_, block, shape_.C / kBlock, V, V_point);
    for (int64_t k = panels.begin * panel; k < k_end; k += block_panels_ * panel) {
      const int64_t K = std::min(block_panels_ * panel, k_end - k);
      const int64_t M_point = K * block.count + kPad;
      for (int64_t c = 0; c < shape_.C; c += block_channels_) {
        const int64_t C = std::min(block_channels_, shape_.C - c);
        winograd::Product product{.V = V,
                                  .V_point = V_point,
                                  .V_channels = shape_.C,
                                  .c = c,
                                  .C = C,
                                  .U = arguments.transformed_weights + k * shape_.C,
                                  .U_point = U_point_,
                                  .U_channels = shape_.C,
                                  .U_c = c,
                                  .K = K,
                                  .M = M,
                                  .M_point = M_point,
                                  .accumulate = c > 0};
        if (transforms_in_run_) {
          product.U = U;
          product.U_channels = C;
          product.U_c = 0;
          product.U_point = C * K + kPad;
          transform_panels(arguments.weights, {.c = {.begin = c, .end = c + C}, .k = {.begin = k, .end = k + K}}, U,
                           product.U_point);
        }
        kernels_->multiply(product, block);
      }
      const int64_t offset = k / kBlock * dst_.block * dst_.value_bytes();
      kernels_->transform_dst(
          {.M = M,
           .M_point = M_point,
           .blocks = K / kBlock,
           .bias = arguments.bias != nullptr ? arguments.bias + k : nullptr,
           .residual =
               arguments.residual != nullptr ? static_cast<const std::byte*>(arguments.residual) + offset : nullptr,
           .relu = arguments.relu,
           .dst = static_cast<std::byte*>(arguments.dst) + offset},
          dst_, block);
    }
  }
}

}  // namespace resflow
