// The words that options of the command line take, for completions.
#pragma once

#include <string>
#include <vector>

namespace resflow {

// Those of the option `name`, without its dashes; empty where it takes a number, a file or another text.
std::vector<std::string> option_values(const std::string& name);

// The options that option_values() knows.
std::vector<std::string> options_with_values();

}  // namespace resflow
