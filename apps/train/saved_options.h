// What a checkpoint keeps of a training run's options, what a resumed run takes over, and the same as a configuration
// file that reproduces the run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/train/options.h"
#include "io/checkpoint/training_state.h"

namespace resflow {

// Names, written as "--image-size", and values.
using SavedOptions = std::vector<std::pair<std::string, std::string>>;

// Those that a checkpoint keeps, in the order of their table.
SavedOptions saved_options(const TrainOptions& options);
// The same, and which data they went with.
SavedOptions saved_options(const TrainOptions& options, const TrainingData& data);

// The value of the option called `name` ("image_size"); empty where there is none.
std::string saved_value(const SavedOptions& saved, const std::string& name);

// A resumed run goes on with the options that it began with. Those that decide its bits cannot change: one that
// was given and differs is an Error{kUsage} that names all such. The others (epochs, threads, save_every, on_error,
// ...) are taken over unless given.
void adopt_saved(TrainOptions& options, const SavedOptions& saved);

// The options of the run alone, as its checkpoint has them. Throws Error{kData} for a text that is no value of its
// option, for options that this resflow does not know (a newer one wrote them), and for values that no run can have.
// Its sentence begins with `path`, the checkpoint's.
void check_saved(const TrainingState& state, const std::string& path);

// A resumed run must see the same pictures, for its cursor counts them. Throws Error{kUsage} where they are others.
void check_same_data(const SavedOptions& saved, const TrainingData& data);

// The data and the same options as TOML: `resflow train --config` takes it.
std::string train_config(const TrainOptions& options);

}  // namespace resflow
