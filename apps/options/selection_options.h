// Which files below DATA are its pictures: the options that several subcommands share, and what they refuse.
#pragma once

#include <string>

#include "io/pictures/data_folders.h"
#include "io/pictures/selection.h"

namespace CLI {
class App;
}

namespace resflow {

// --exclude PATTERN and --extensions LIST.
void add_selection_options(CLI::App& command, Selection& selection);

// Throws Error{kUsage} where the classes below DATA would be the parts of a data set, with the command line that was
// meant. `command` is the beginning of it ("resflow train"); `with_val`: it takes --val; `measures`: what it wants is
// validation or test data.
struct PartsCommand {
  std::string command;
  bool with_val = false, measures = false;
};
void refuse_mistaken_parts(const std::string& root, const PartsCommand& command);

}  // namespace resflow
