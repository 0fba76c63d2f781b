// What the command line may say about a file of weights, for every command that takes one.
#pragma once

#include <string>

#include "apps/model/model_file.h"

namespace CLI {
class App;
}

namespace resflow {

// MODEL, a file of weights or the name of one of torchvision's: required.
void add_model_file_argument(CLI::App& command, std::string& model);

// --weights-key, --weights-prefix
void add_weights_place_options(CLI::App& command, std::string& key, std::string& prefix);

// --model, --norm-groups, --no-residual, --replace-stride-with-dilation, --weights-key, --weights-prefix, --classes
void add_model_file_options(CLI::App& command, ModelFileOptions& options);

// --resize, --crop
void add_preprocessing_options(CLI::App& command, ModelFileOptions& options);

}  // namespace resflow
