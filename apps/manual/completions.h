// Scripts by which shells complete resflow's commands, options, their words, and files.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace resflow {

// For "bash", "zsh" or "fish". Throws Error{kUsage} for another shell. `app` is the whole program's.
std::string completions(const CLI::App& app, const std::string& shell);

}  // namespace resflow
