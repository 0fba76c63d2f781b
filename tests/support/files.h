// Whole files as text.
#pragma once

#include <string>

namespace resflow::testing {

// The bytes of the file at `path`; none where it cannot be read.
std::string read_text(const std::string& path);

}  // namespace resflow::testing
