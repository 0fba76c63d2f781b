// The inputs of `resflow score`: its arguments, and its options for lists.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/pictures/picture_source.h"

namespace CLI {
class App;
}

namespace resflow {

struct ScoreInputs {
  std::vector<std::string> inputs = {};
  std::string list = {};  // file of paths, "-" is standard input
  bool ids = false, null = false;
};

void add_score_inputs(CLI::App& command, ScoreInputs& inputs);

// Their words, as they were typed: a run that goes on has the same.
std::vector<std::string> as_given(const ScoreInputs& inputs);

// For a command's help: what an input may be.
const char* score_inputs_help();

// The arguments' pictures, then the list's. A signal that asks to stop (apps/host/signals.h) ends the waiting for a
// list on a pipe. Throws Error{kUsage} for options that say nothing together, Error{kData} as InputSource does.
std::unique_ptr<PictureSource> open_score_inputs(const ScoreInputs& inputs);

}  // namespace resflow
