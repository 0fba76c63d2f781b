// A training run: what every mode of it begins with, changes and leaves.
#pragma once

#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/report/tensorboard_log.h"
#include "apps/train/folder.h"
#include "apps/train/options.h"
#include "apps/train/outcome.h"
#include "graph/model/model.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/listener.h"
#include "io/core/stage_times.h"
#include "pipeline/loader.h"

namespace resflow {

// The state of a run is its cursor (seed, epoch, next batch), the sums of the epoch under way, the parameters and the
// optimizer's state. All of it is in last.resflow, so that a resumed run goes on to the same bits as one that was never
// interrupted (on the same machine, with as many threads).
struct Run {
  TrainOptions options;  // resolved
  std::shared_ptr<const TrainingData> data;
  Listener* listener;
  RunFolder folder;
  std::unique_ptr<Compute> compute = nullptr;
  std::unique_ptr<Model> model = nullptr;
  Preprocessing preprocessing = {};
  TrainingState state = {};
  std::vector<NamedArray> optimizer = {};                               // a resumed run's, for the mode to take
  std::vector<std::pair<std::string, std::string>> provenance = {};     // of the values
  std::vector<std::pair<std::string, std::string>> weights_facts = {};  // what is to be said of the weights
  std::map<std::string, std::string> broken = {};                       // path -> why the picture cannot be read
  int64_t truncated = 0;  // of an epoch's training pictures: they end early, and were taken all the same
  std::unique_ptr<TensorBoardLog> board = nullptr;  // while it trains
  StageTimes times = {};                            // of training in this process
  std::set<std::string> gone_without = {};          // what the run does without, as it was said
};

// What open_run throws where the listener asks to stop before there is anything of the run.
struct StoppedBeforeTraining : std::exception {
  const char* what() const noexcept override { return "stopped before the training began"; }
};

// Opens `out`, builds the model and gives it its values: the resumed checkpoint's, those of `weights`, or random ones.
// `options` are resolved(), with a number of threads. `listener` outlives the run. Throws Error: kUsage for options
// that cannot be, kData for data or a checkpoint that cannot be used; StoppedBeforeTraining.
Run open_run(const TrainOptions& options, std::shared_ptr<const TrainingData> data, Listener& listener);

inline constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();  // of a record, where there is none

bool has_validation(const Run& run);
OnError on_error(const Run& run);

// Of every epoch so far: validation's, where there is one.
std::vector<double> losses(const Run& run);

// The model as it is now, without an optimizer.
Checkpoint checkpoint(const Run& run);
// The same. Throws as stop_diverged() where the model holds values that are no numbers: a step may leave such before a
// loss shows it, and such a model must not replace a good one.
Checkpoint finite_checkpoint(const Run& run, const std::string& when);

// Does what a run can do without: history.csv, its report. Where that fails, a warning says so, once for each `what`.
// Returns whether it was done.
bool try_auxiliary(Run& run, const std::string& what, const std::function<void()>& act);
// The same for what is written for TensorBoard; once that has failed, nothing more is.
void log_to_board(Run& run, const std::function<void(TensorBoardLog&)>& log);

// Throws Error{kUsage} that says what to try.
[[noreturn]] void stop_diverged(const Run& run, const std::string& what);

// Keeps which pictures were left out, and counts them in `count`. Warns of the first few of the run, when it happens.
void note_broken(Run& run, const Dataset& dataset, std::span<const BrokenPicture> broken, LeftOut& count);

// How many pictures could not be read since the run began. Of very many, those that were left out before it was resumed
// are not all named in run.broken.
int64_t broken_count(const Run& run);

// How the run reads its pictures: a stop of its listener ends a wait for the machine.
ReadingOptions reading_options(const Run& run);

// Files, history, configuration and times; threads and decoding.
TrainingOutcome outcome_of(const Run& run, bool finished);

}  // namespace resflow
