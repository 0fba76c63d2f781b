// The middle of some values.
#pragma once

#include <vector>

namespace resflow {

// Of an even number of values the mean of the middle two, as numpy has it. REQUIRES: `values` is not empty.
double median(std::vector<double> values);

}  // namespace resflow
