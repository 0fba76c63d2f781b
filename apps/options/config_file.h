// Options of a command from a TOML file.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace resflow {

// Gives `command` what the file at `path` says: a key is a long option's name without its dashes, or a positional's in
// small letters; a list is an option given several times. What the command line gives goes before. To be called after
// the command line was parsed.
// Throws Error{kUsage} with file and line: no such file, no TOML, a key that is no option, a value that it cannot take.
void apply_config(CLI::App& command, const std::string& path);

}  // namespace resflow
