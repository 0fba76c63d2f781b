// Residual networks as torchvision builds them (its "v1.5": the stride of a bottleneck is on the 3x3).
//
// Source   He et al. 2015, arXiv:1512.03385; Xie et al. 2016, arXiv:1611.05431 (groups);
//          Zagoruyko & Komodakis 2016, arXiv:1605.07146 (width).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "graph/model/graph.h"

namespace resflow {

enum class Block { kBasic, kBottleneck };

struct ResNetOptions {
  Block block = Block::kBasic;
  std::array<int, 4> layers = {2, 2, 2, 2};  // blocks of each stage
  int64_t num_classes = 1000;
  bool zero_init_residual = false;
  int64_t groups = 1, width_per_group = 64;
  // Of stages 2 to 4: keep the resolution and dilate instead.
  std::vector<bool> replace_stride_with_dilation = {false, false, false};
};

// Throws Error{kUsage} for classes below 1, a list of other than three, groups that do not divide the
// channels, and for BasicBlock with groups, another width, or dilation.
Graph resnet(const ResNetOptions& options);

}  // namespace resflow
