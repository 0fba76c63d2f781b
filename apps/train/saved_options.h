// What a checkpoint keeps of a training run's options, what a resumed run takes over, and the same as a configuration
// file that reproduces the run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/train/train_options.h"

namespace resflow {

using SavedOptions = std::vector<std::pair<std::string, std::string>>;

// What a checkpoint keeps: names as on the command line, and values.
SavedOptions saved_options(const TrainOptions& options);

// A resumed run goes on with the options that it began with. Those that decide its bits cannot change: one that
// was given and differs is an Error{kUsage} that names all such. The others (--epochs, --threads, --save-every,
// --on-error) are taken over unless given.
void adopt_saved(TrainOptions& options, const SavedOptions& saved);

// DATA, --val and the same options as TOML: `resflow train --config` takes it.
std::string train_config(const TrainOptions& options);

}  // namespace resflow
