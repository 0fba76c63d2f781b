#include "ops/kernels/winograd.h"

#include <algorithm>
#include <new>

#include "ops/kernels/parallel.h"
#include "ops/kernels/simd.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace resflow {
namespace winograd {

const Kernels* cpu_kernels() {
  switch (cpu_isa()) {
    case Isa::kAvx512:
      return avx512_kernels();
    case Isa::kAvx2:
      return avx2_kernels();
    default:
      return nullptr;
  }
}

}  // namespace winograd

namespace {

using winograd::Block;
using winograd::Group;
using winograd::has_point;
using winograd::Image;
using winograd::kBlock;
using winograd::Kernels;
using winograd::kPoints;
using winograd::kSide;
using winograd::kTaps;
using winograd::kTile;
using winograd::Tile;

constexpr int64_t kFilterBlock = kTaps * kBlock * kBlock;
// One cache line between points, so that the 36 vectors of a tile do not fall into the same set of a cache.
constexpr int64_t kPad = 16;
constexpr int64_t kAlignment = 64;
// Transformed weights that are written to memory at once: 37 MiB for 512 channels, while 256 have 9.
constexpr size_t kTooLargeForCaches = size_t{16} << 20;

int64_t quotient_up(int64_t count, int64_t unit) { return (count + unit - 1) / unit; }

int64_t aligned(int64_t bytes) { return quotient_up(bytes, kAlignment) * kAlignment; }

Image image_of(WinogradLayout layout, int64_t channels, int64_t H, int64_t W) {
  Image image{.stride = H * W * channels,
              .block = H * W * kBlock,
              .half = 8,
              .row = 0,
              .pixel = 0,
              .H = H,
              .W = W,
              .bf16 = layout == WinogradLayout::kNhwcBf16};
  switch (layout) {
    case WinogradLayout::kNhwc:
    case WinogradLayout::kNhwcBf16:
      image.block = kBlock;
      image.pixel = channels;
      break;
    case WinogradLayout::kNChw16c:
      image.pixel = kBlock;
      break;
    case WinogradLayout::kNChw8c:
      image.half = H * W * 8;
      image.pixel = 8;
      break;
  }
  image.row = W * image.pixel;
  return image;
}

// Points that the last tile needs in a direction of `size` pixels.
int64_t last_points(int64_t size) {
  const int64_t pixels = size % kTile;
  return pixels == 0 ? 6 : std::max<int64_t>(pixels, 2) + 2;
}

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

// How threads divide the work: each has a part of the tiles and a part of the panels.
struct Parts {
  int64_t tiles;
  int64_t panels;
};

// As many parts of the tiles as leave `fewest` in each, and parts of the panels that leave nobody waiting for more than
// a twentieth.
Parts divide(int64_t tiles, int64_t panels, int64_t threads, int64_t fewest) {
  Parts best{.tiles = threads, .panels = 1};
  for (int64_t parts = threads; parts >= 1; --parts) {
    if (threads % parts != 0) continue;
    const int64_t rest = threads / parts;
    if (rest <= panels && 20 * quotient_up(panels, rest) * rest <= 21 * panels) best = {.tiles = parts, .panels = rest};
    if (best.tiles == parts && tiles >= parts * fewest) break;
  }
  return best;
}

}  // namespace

bool winograd_applies(const WinogradShape& shape) {
  return winograd::cpu_kernels() != nullptr && shape.C % kBlock == 0 && shape.K % kBlock == 0;
}

bool winograd_wins(const WinogradShape& shape, bool bf16) {
  if (!winograd_applies(shape)) return false;
  // Multiplications for each pair of channels: those of a direct convolution that leaves out the padding, and ours.
  // Where ours are half as many, the kernels are 1.3 to 3.4 times faster; the weights' transforms cost as much as some
  // hundreds of multiplications (512 channels of 7x7: 0.8 times as fast for one image, even for two, 1.4 for four).
  const auto products = [](int64_t size) { return 3 * size - 2; };
  const auto points = [](int64_t size) { return size / kTile * kSide + (size % kTile == 0 ? 0 : last_points(size)); };
  const int64_t direct = shape.N * products(shape.H) * products(shape.W);
  const int64_t ours = shape.N * points(shape.H) * points(shape.W);
  // Dot products of bf16 (avx512_bf16) take half the time of f32's: 512 channels of 7x7 are 0.78 times as fast for four
  // images, 1.28 for 32; 256 of 14x14 0.72 for one, 1.23 for four; 64 of 56x56 1.3 to 1.5.
  return bf16 ? 10 * direct > 25 * ours + 11000 : 10 * direct > 14 * ours + 4000;
}

WinogradTiling::WinogradTiling(const WinogradShape& shape)
    : shape(shape), down(quotient_up(shape.H, kTile)), across(quotient_up(shape.W, kTile)) {}

size_t WinogradTiling::list_bytes(int64_t tiles) {
  return static_cast<size_t>(aligned(tiles * static_cast<int64_t>(sizeof(Tile) + sizeof(Group))));
}

Block WinogradTiling::list(winograd::Range range, int64_t rows, void* place) const {
  const int64_t count = range.end - range.begin;
  Tile* tiles = static_cast<Tile*>(place);
  Group* groups = reinterpret_cast<Group*>(tiles + count);
  const int64_t down_points = last_points(shape.H);
  const int64_t across_points = last_points(shape.W);
  // Kinds of tiles in their order: at the right edge, inside, at the lower edge, in the corner.
  const auto kind_of = [&](int64_t tile) {
    const bool low = down_points < 6 && tile / across % down == down - 1;
    const bool right = across_points < 6 && tile % across == across - 1;
    return low ? (right ? 3 : 2) : (right ? 0 : 1);
  };
  int64_t count_of[4] = {};
  for (int64_t tile = range.begin; tile < range.end; ++tile) ++count_of[kind_of(tile)];
  // Groups of too few tiles would wait for the weights: then all tiles are of the kind with all points.
  constexpr int64_t kFewest = 4;
  const bool one_kind =
      std::any_of(count_of, count_of + 4, [&](int64_t n) { return n > 0 && n < std::min(kFewest, count); });

  int64_t groups_end[4];
  int64_t tiles_end[4];
  int64_t listed = 0;
  int64_t listed_groups = 0;
  for (int64_t kind = 0; kind < 4; ++kind) {
    const int64_t of_kind = one_kind ? (kind == 1 ? count : 0) : count_of[kind];
    const int64_t parts = rows == 0 ? 1 : quotient_up(of_kind, rows);
    int64_t tile = range.begin;
    for (int64_t part = 0; part < parts; ++part) {
      // Nearly equal ones.
      const Range within = part_of(of_kind, part, parts);
      Group group{.first = listed, .tiles = within.end - within.begin};
      if (rows == 0) {
        group = {.first = 0, .tiles = count};
      }
      for (int64_t i = within.begin; i < within.end; ++i, ++tile) {
        while (!one_kind && kind_of(tile) != kind) ++tile;
        const bool low = kind >= 2;
        const bool right = kind == 0 || kind == 3;
        new (tiles + listed) Tile{.image = tile / (down * across),
                                  .y = tile / across % down * kTile,
                                  .x = tile % across * kTile,
                                  .points_down = low ? down_points : 6,
                                  .points_across = right ? across_points : 6,
                                  .group = group,
                                  .place = listed - group.first};
        ++listed;
      }
      if (within.end > within.begin) new (groups + listed_groups++) Group(group);
    }
    groups_end[kind] = listed_groups;
    tiles_end[kind] = listed;
  }

  Block block;
  block.tiles = tiles;
  block.count = count;
  block.groups = groups;
  for (int64_t i = 0; i < kSide; ++i) {
    for (int64_t j = 0; j < kSide; ++j) {
      const bool right = has_point(across_points, j);
      const int last = !has_point(down_points, i) ? 1 : (right ? 3 : 2);
      block.groups_of[i][j] = {.begin = right ? 0 : groups_end[0], .end = groups_end[last]};
      block.tiles_of[i][j] = {.begin = right ? 0 : tiles_end[0], .end = tiles_end[last]};
    }
  }
  return block;
}

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
