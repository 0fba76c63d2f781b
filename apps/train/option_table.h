// The table of training's options: whoever reads, writes, declares or checks one finds it here.
#pragma once

#include <vector>

#include "apps/model/structure.h"
#include "apps/train/option.h"
#include "apps/train/options.h"

namespace resflow {

// One row an option, in the order of the program's help.
const std::vector<Option<TrainOptions>>& train_option_table();

// The part of it that says what the network is.
const std::vector<Option<StructureOptions>>& structure_option_table();

// Those that a checkpoint keeps, in the order of their places.
const std::vector<const Option<TrainOptions>*>& saved_option_table();

}  // namespace resflow
