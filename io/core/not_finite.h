// NaN and infinities among values.
#pragma once

#include <cstdint>

#include "io/core/array.h"

namespace resflow {

struct NotFinite {
  int64_t nan = 0, infinite = 0;
  int64_t total() const { return nan + infinite; }
};

// Of any dtype; integers have none.
NotFinite count_not_finite(const Array& array);

}  // namespace resflow
