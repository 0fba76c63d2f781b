// Whether a file is the one that it was, without reading it.
#pragma once

#include <cstdint>
#include <string>

namespace resflow {

// Stands for the size of the file and the time at which it was last written. Another number says that it was changed or
// replaced; the same one that it very probably was not. 0 where the file cannot be looked at.
uint64_t file_state(const std::string& path);

}  // namespace resflow
