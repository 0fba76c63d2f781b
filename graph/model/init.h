// How parameters start, as in torchvision: convolutions Kaiming normal by fan_out, batch norm 1 and 0,
// the linear layer uniform by fan_in.
//
// Every value is a function of (seed, parameter name, index) alone, so it depends neither on the order of
// layers nor on thread counts, and changing num_classes leaves the other layers as they were.
//
// Source   He et al. 2015, arXiv:1502.01852; generator: SplitMix64, Steele et al. 2014.
#pragma once

#include <cstdint>

#include "graph/model/graph.h"
#include "io/core/array.h"

namespace resflow {

// kKaimingNormal: N(0, 2 / fan); kUniform: U(-1/sqrt(fan), 1/sqrt(fan)).
Array initial_value(const ParameterSpec& spec, uint64_t seed);

}  // namespace resflow
