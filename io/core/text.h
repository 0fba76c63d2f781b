// Texts that come out of foreign files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace resflow {

// The text as it may stand in an error's sentence: control characters and bytes that are no UTF-8 become "?", and what
// is longer than `limit` bytes is cut and ends with "...".
std::string printable(std::string_view text, size_t limit = 120);

}  // namespace resflow
