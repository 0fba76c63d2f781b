// What winograd.cpp asks of an instruction set: the inner loops of Winograd's F(4x4, 3x3), one table of functions
// for each set. Everything is f32, but src and dst may be stored in bf16; channels come in blocks of 16. Internal to
// ops/.
//
// A tile is 4x4 pixels of dst and the 6x6 pixels of src that they depend on; transformed it has 36 points, 6 in each
// direction. Tiles at the lower and right edge that have only 3 or 2 pixels inside of the image need 5 or 4 points.
//
// Buffers of transformed values, [point][group][channel block][tile of the group][16]:
//   V, W, M  of src, diff_dst, and dst before its transform. Points lie X_point floats apart.
//   U        of weights: [point][panel][c][panel width]; a panel is `panel` output channels, the last one may have 16
//   D        gradient of U for one panel: [point][c][panel width]
// Every vector of 16 is 64-byte aligned.
#pragma once

#include <cstdint>

#include "ops/kernels/simd.h"

namespace resflow::winograd {

constexpr int64_t kBlock = 16;   // channels
constexpr int64_t kTile = 4;     // pixels of dst, in each direction
constexpr int64_t kSide = 6;     // points of a transformed tile, in each direction
constexpr int64_t kPoints = 36;  // of a transformed tile
constexpr int64_t kTaps = 9;     // of a 3x3 filter

// Where the 16 channels of a block are at each pixel, in values; and the size of the image.
struct Image {
  int64_t stride;  // to the next image
  int64_t block;
  int64_t half;  // to the other 8 channels of the block; read by kernels with vectors of 8
  int64_t row;
  int64_t pixel;
  int64_t H;
  int64_t W;
  bool bf16;  // the values, else f32

  int64_t value_bytes() const { return bf16 ? sizeof(Bf16) : sizeof(float); }
};

// Tiles of one kind that are multiplied at once, and lie together in V, W and M.
struct Group {
  int64_t first;  // tile of the block
  int64_t tiles;
};

struct Tile {
  int64_t image;
  int64_t y;  // of its first pixel of dst
  int64_t x;
  int64_t points_down;  // 6, 5 or 4
  int64_t points_across;
  Group group;
  int64_t place;  // in its group

  // Of 16 values in V, W or M, which hold `channels` channels.
  int64_t offset(int64_t block, int64_t channels) const {
    return group.first * channels + (block * group.tiles + place) * kBlock;
  }
};

// False for the points that tiles of 5 or 4 points do not have.
constexpr bool has_point(int64_t points, int64_t index) {
  return points == 6 || (points == 5 ? index != 5 : index != 3 && index != 4);
}

struct Range {
  int64_t begin;
  int64_t end;
};

// The tiles that are transformed and multiplied together. Tiles with less points down than 6 stand at the end, tiles
// with less points across at both ends; so those that have a certain point are always neighbours.
struct Block {
  const Tile* tiles;
  int64_t count;
  const Group* groups;
  Range groups_of[kSide][kSide];  // that have the point
  Range tiles_of[kSide][kSide];   // the same in tiles, where all of them are one group
};

// M = or += V * U, for channels [c, c + C) of V and K channels of U from the beginning of a panel on.
struct Product {
  const float* V;
  int64_t V_point;
  int64_t V_channels;
  int64_t c;
  int64_t C;
  const float* U;
  int64_t U_point;
  int64_t U_channels;  // rows of a panel
  int64_t U_c;         // the row of c
  int64_t K;
  float* M;
  int64_t M_point;
  bool accumulate;
};

// dst = A^T M A [+ bias] [+ residual], then ReLU where asked. All point to the first of the `blocks` channel blocks.
struct Output {
  const float* M;
  int64_t M_point;
  int64_t blocks;
  const float* bias;     // or null
  const void* residual;  // or null; lies as dst
  bool relu;
  void* dst;
};

struct Kernels {
  const char* name;
  int64_t panel;  // output channels that `multiply` holds in registers
  int64_t rows;   // tiles that it holds: the largest group

  // V = B^T src B for all tiles and `blocks` blocks of channels. src points to the first image.
  void (*transform_src)(const void* src, const Image& image, const Block& tiles, int64_t blocks, float* V,
                        int64_t V_point);
  void (*multiply)(const Product& product, const Block& tiles);
  void (*transform_dst)(const Output& output, const Image& image, const Block& tiles);

  // W = A diff_dst A^T.
  void (*transform_diff_dst)(const void* diff_dst, const Image& image, const Block& tiles, int64_t blocks, float* W,
                             int64_t W_point);
  // D = V^T W, `blocks` blocks of c times `width` (panel or 16) channels of W. The tiles are one group.
  void (*multiply_weights)(const float* V, int64_t V_point, const float* W, int64_t W_point, const Block& tiles,
                           int64_t blocks, int64_t width, float* D, int64_t D_point);

  // U = G filters G^T for filters[tap][16 c][16 k]: 16 rows of `width` floats at each point. past_caches: U is too
  // large for them, and its values need not pass through.
  void (*transform_weights)(const float* filters, float* U, int64_t U_point, int64_t width, bool past_caches);
  // diff_weights[tap][16 c][16 k] = or += G^T D G; D has rows of `width` floats.
  void (*transform_diff_weights)(const float* D, int64_t D_point, int64_t width, bool accumulate, float* diff_weights);
};

// Null where the target is not x86-64. They do not look at the CPU.
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
// The best of them that a CPU of this level runs; null where there are none.
const Kernels* best_kernels(Isa isa = cpu_isa());

}  // namespace resflow::winograd
