#include "io/core/check_range.h"

#include "io/core/error.h"

namespace resflow {

void check_range(const std::string& name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw usage_error("{} is {}: wanted {} to {}", name, value, low, high);
}

}  // namespace resflow
