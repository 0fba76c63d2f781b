#include "ops/kernels/winograd_tiling.h"

#include <algorithm>
#include <new>

namespace resflow {
namespace winograd {

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

int64_t last_points(int64_t size) {
  const int64_t pixels = size % kTile;
  return pixels == 0 ? 6 : std::max<int64_t>(pixels, 2) + 2;
}

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

}  // namespace winograd

namespace {

using winograd::Block;
using winograd::Group;
using winograd::has_point;
using winograd::kSide;
using winograd::kTile;
using winograd::last_points;
using winograd::quotient_up;
using winograd::Tile;

}  // namespace

WinogradTiling::WinogradTiling(const WinogradShape& shape)
    : shape(shape), down(quotient_up(shape.H, kTile)), across(quotient_up(shape.W, kTile)) {}

size_t WinogradTiling::list_bytes(int64_t tiles) {
  constexpr int64_t kAlignment = 64;
  const int64_t bytes = tiles * static_cast<int64_t>(sizeof(Tile) + sizeof(Group));
  return static_cast<size_t>(quotient_up(bytes, kAlignment) * kAlignment);
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

}  // namespace resflow
