// What a subcommand is once its options are parsed.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace resflow {

// Runs the subcommand: returns the program's exit code, or throws Error.
using Action = std::function<int()>;

}  // namespace resflow
