// What the checks of options share. Internal to graph/.
#pragma once

#include "io/core/error.h"

namespace resflow {

// Throws a usage error where `option`, which is `value`, is not as `wanted`: "momentum is 1: wanted 0 to below 1".
inline void require(bool good, const char* option, double value, const char* wanted) {
  if (!good) throw usage_error("{} is {}: wanted {}", option, value, wanted);
}

}  // namespace resflow
