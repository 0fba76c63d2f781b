// What a list of tensors says of the ResNet that it is: block, layers, groups, width, channels, norm, shortcut, stem.
#pragma once

#include <optional>
#include <span>

#include "graph/model/resnet.h"
#include "io/core/named_array.h"

namespace resflow {

// By torchvision's names and by dims alone; dtypes are not looked at, nor whether tensors are missing. Nothing where
// there is no stem and no block to read it off.
//
// What leaves no trace in tensors is as it is by default: strides and dilation, the groups of a group norm, how the
// parameters began. A network without projections where blocks change shape has shortcuts by padding.
std::optional<ResNetOptions> read_structure(std::span<const TensorEntry> tensors);

}  // namespace resflow
