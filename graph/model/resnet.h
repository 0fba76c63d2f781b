// Residual networks as torchvision builds them (its "v1.5": the stride of a bottleneck is on the 3x3), and those of the
// paper for small pictures.
//
// Source   He et al. 2015, arXiv:1512.03385; Xie et al. 2016, arXiv:1611.05431 (groups);
//          Zagoruyko & Komodakis 2016, arXiv:1605.07146 (width); Wu & He 2018, arXiv:1803.08494 (group norm).
#pragma once

#include <cstdint>
#include <vector>

#include "graph/model/graph.h"

namespace resflow {

enum class Block { kBasic, kBottleneck };

enum class Stem {
  kImagenet,  // convolution 7x7 with stride 2, max pooling 3x3 with stride 2
  kCifar,     // convolution 3x3 with stride 1, no pooling
};

enum class Norm { kBatch, kGroup };

// What a residual is where a block has another shape behind it than before it.
enum class Shortcut {
  kProjection,  // the paper's B: a convolution 1x1 with the stride, and a norm
  kPadding,     // the paper's A: every second pixel, and channels of zeros, half of them before and half behind
};

struct ResNetOptions {
  Block block = Block::kBasic;
  std::vector<int64_t> layers = {2, 2, 2, 2};  // blocks of each stage
  int64_t num_classes = 1000;
  bool zero_init_residual = false;
  int64_t groups = 1, width_per_group = 64;
  // Of the stages after the first: keep the resolution and dilate instead. Three times false says it of any number.
  std::vector<bool> replace_stride_with_dilation = {false, false, false};
  int64_t channels = 64;  // of the stem; planes of the first stage, which double in each after it
  Norm norm = Norm::kBatch;
  int64_t norm_groups = 0;  // of Norm::kGroup; 0: the largest part of 32 that divides the channels of every norm
  Shortcut shortcut = Shortcut::kProjection;
  Stem stem = Stem::kImagenet;
  bool residual = true;  // false: the paper's plain network, without shortcuts
  bool operator==(const ResNetOptions&) const = default;
};

// Of a norm's channels: `asked`, or what 0 stands for.
int64_t norm_groups_of(const ResNetOptions& options);

// Throws Error{kUsage} for numbers that cannot be, a list of another length than there are stages after the first,
// groups that do not divide the channels, what a plain network has no use for, and for BasicBlock with groups, another
// width, or dilation.
Graph resnet(const ResNetOptions& options);

}  // namespace resflow
