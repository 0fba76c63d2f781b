// Options of a command from a TOML file, and values as TOML has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace resflow {

// Gives `command` what the file at `path` says: a key is a long option's name without its dashes, or a positional's in
// small letters; a list is an option given several times. What the command line gives goes before. To be called after
// the command line was parsed.
// Throws Error{kUsage} with file and line: no such file, no TOML, a key that is no option, a value that it cannot take.
void apply_config(CLI::App& command, const std::string& path);

std::string toml_value(const std::string& text);
std::string toml_value(bool value);
std::string toml_value(double value);
std::string toml_value(int value);
std::string toml_value(int64_t value);
std::string toml_value(uint64_t value);  // a text above 2^63, which no integer of TOML reaches
std::string toml_value(const std::vector<std::string>& texts);
std::string toml_value(const std::vector<int64_t>& values);
std::string toml_value(const std::vector<double>& values);

}  // namespace resflow
