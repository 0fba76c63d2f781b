// What pictures and their numbers are compared with.
#pragma once

#include "tests/support/python.h"

namespace resflow::testing {

inline constexpr const char* kNoPeers = "/usr/bin/python3 has no torchvision, Pillow and numpy to compare with";

inline bool has_peers() { return python_has({"torchvision", "PIL", "numpy"}); }

}  // namespace resflow::testing
