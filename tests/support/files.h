// Whole files as strings of bytes.
#pragma once

#include <string>

namespace resflow::testing {

// The bytes of the file at `path`; none where it cannot be read.
std::string read_text(const std::string& path);

// Writes `text` to `path`, whose folders are made where they are missing.
void write_text(const std::string& path, const std::string& text);

}  // namespace resflow::testing
