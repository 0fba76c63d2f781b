// The check that most settings need.
#pragma once

#include <string>

namespace resflow {

// Throws Error{kUsage} "NAME is VALUE: wanted LOW to HIGH" where `value` is outside of it. `name` is marked
// (io/core/setting.h) where it is a setting's.
void check_range(const std::string& name, double value, double low, double high);

}  // namespace resflow
