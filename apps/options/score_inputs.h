// The inputs of `resflow score`: its arguments, and its options for lists.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/pictures/picture_source.h"
#include "io/pictures/selection.h"

namespace CLI {
class App;
}

namespace resflow {

struct ScoreInputs {
  std::vector<std::string> inputs = {};
  std::string list = {};  // file of paths, "-" is standard input
  bool ids = false, null = false;
  Selection selection = {};  // of what lies in folders, packs and archives
};

void add_score_inputs(CLI::App& command, ScoreInputs& inputs);

// The inputs in the words in which they were given. A run can be gone on with only with the same words.
std::vector<std::string> as_given(const ScoreInputs& inputs);

// What an input may be, for the help of a command.
const char* score_inputs_help();

// The pictures of the arguments, and after them those of the list. A signal that asks to stop (apps/host/signals.h)
// ends the waiting for a list on a pipe. Throws Error{kUsage} for options that do not go together, Error{kData} as
// InputSource does.
std::unique_ptr<PictureSource> open_score_inputs(const ScoreInputs& inputs);

}  // namespace resflow
