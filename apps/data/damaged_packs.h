// What is said of packs whose pictures can be read and which are yet not whole.
#pragma once

#include <vector>

#include "io/pictures/dataset.h"

namespace resflow {

// A sentence on standard error for each damaged pack that pictures of `samples` are in (PackReader::damage).
void warn_of_damaged_packs(const std::vector<Sample>& samples);

}  // namespace resflow
