// Why a file is broken, as it stands beside the file's name.
#pragma once

#include <string>

#include "io/core/error.h"

namespace resflow {

// What the error says, without "NAME: " before it. One that is not the file's fault (any but Error{kData}) is thrown
// on.
std::string broken_reason(const Error& error, const std::string& name);

}  // namespace resflow
