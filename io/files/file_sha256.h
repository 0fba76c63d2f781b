// The SHA-256 of a file, in hexadecimal digits.
#pragma once

#include <string>

#include "io/core/listener.h"

namespace resflow {

// Tells `listener` how far it is. Throws as InputFile does.
std::string file_sha256(const std::string& path, Listener& listener = silent());

}  // namespace resflow
