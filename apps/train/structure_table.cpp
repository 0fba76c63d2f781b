#include "apps/train/option_table.h"

namespace resflow {

// Each decides what the run's network is.
const std::vector<Option<StructureOptions>>& structure_option_table() {
  using O = StructureOptions;
  static const std::vector<Option<O>> all = {
      {{.name = "block", .help = "with {layers}, a network of no name: basic or bottleneck", .place = 60},
       option_at<&O::block>},
      {{.name = "layers",
        .help = "with {block}, a network of no name: the blocks of each of its stages, like 3,4,6,3",
        .place = 61},
       option_at<&O::layers>},
      {{.name = "groups", .help = "of a bottleneck's 3x3 convolutions [1]", .none = "0", .place = 62},
       option_at<&O::groups>},
      {{.name = "width_per_group",
        .help = "of a bottleneck: a group has so many channels for every 64 planes [64]",
        .none = "0",
        .place = 63},
       option_at<&O::width_per_group>},
      {{.name = "channels",
        .help = "of the stem; planes of the first stage, which double in each after it\n"
                "[64; 16 in the networks for CIFAR with three stages]",
        .none = "0",
        .place = 64},
       option_at<&O::channels>},
      {{.name = "stem",
        .help = "imagenet (7x7 with stride 2, max pooling) or cifar (3x3 with stride 1) [that of {model}]",
        .place = 65},
       option_at<&O::stem>},
      {{.name = "norm",
        .help = "batch, or group, whose statistics are a picture's own, for small batches [batch]",
        .place = 66},
       option_at<&O::norm>},
      {{.name = "norm_groups",
        .help = "of each group norm [32, or fewer where that does not divide the channels]",
        .none = "0",
        .place = 67},
       option_at<&O::norm_groups>},
      {{.name = "shortcut",
        .help = "where a block has another shape behind it than before it: projection (the paper's B) or padding\n"
                "(its A: every second pixel, channels of zeros) [that of {model}]",
        .place = 68},
       option_at<&O::shortcut>},
      {{.name = "no_residual", .help = "the plain network, without shortcuts", .place = 69},
       option_at<&O::no_residual>},
      {{.name = "zero_init_residual",
        .help = "the last norm of each block begins with weight 0, so that the block begins as its shortcut",
        .place = 70},
       option_at<&O::zero_init_residual>},
      {{.name = "replace_stride_with_dilation",
        .help = "for each stage after the first 0 or 1, like 0,1,1: keep the resolution, and dilate instead",
        .place = 71},
       option_at<&O::replace_stride_with_dilation>},
  };
  return all;
}

}  // namespace resflow
