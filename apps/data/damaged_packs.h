// Packs that are not whole although pictures of them can be read.
#pragma once

#include <vector>

#include "io/core/listener.h"
#include "io/pictures/dataset.h"

namespace resflow {

// Warns of each damaged pack that pictures of `samples` are in (PackReader::damage), once a pack.
void warn_of_damaged_packs(const std::vector<Sample>& samples, Listener& listener);

}  // namespace resflow
