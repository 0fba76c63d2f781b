// resflow train: photographs in class folders to a trained ResNet.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/options/common.h"
#include "apps/options/config_file.h"
#include "apps/options/option_row.h"
#include "apps/options/precision_options.h"
#include "apps/options/selection_options.h"
#include "apps/train/network.h"
#include "apps/train/option_table.h"
#include "apps/train/repeats.h"
#include "apps/train/training.h"
#include "io/core/error.h"
#include "io/pictures/data_folders.h"

namespace resflow {
namespace {

// Binds the process where the runs ask for it. Returns the threads that it is to be held to.
int settle_threads(std::vector<PlannedRun>& runs) {
  const TrainOptions& first = runs.front().options;
  const int pinned = first.pin ? pin_threads(first.threads) : 0;
  int threads = 1;
  for (PlannedRun& run : runs) {
    if (pinned > 0) run.options.threads = pinned;
    threads = std::max(threads, run.options.threads);
  }
  return threads;
}

// Trains as planned; false where a signal ended it.
bool run_planned(const TrainOptions& options, const std::vector<PlannedRun>& runs, TrainingData data,
                 Listener& listener) {
  if (is_repeated(options)) {
    return train_repeatedly(options, runs, std::move(data), listener);
  }
  if (options.lr_find) {
    Run run = open_run(runs.front().options, std::make_shared<const TrainingData>(std::move(data)), listener);
    return find_lr(run);
  }
  const TrainingOutcome outcome =
      train(runs.front().options, std::make_shared<const TrainingData>(std::move(data)), listener);
  if (outcome.finished && !outcome.records.empty())
    print_out("trained    {}\nnext       resflow score {} PHOTO-OR-FOLDER\n", outcome.best, outcome.best);
  return outcome.finished;
}

int train(const TrainOptions& options) {
  obey_stop_signals();
  if (options.data.empty()) throw usage_error("DATA is required (see resflow train --help)");
  TerminalListener listener;
  // What cannot be is said before anything is read or made.
  std::vector<PlannedRun> runs = plan_runs(options);
  const ThreadLimit limit(settle_threads(runs));
  const TrainOptions& first = runs.front().options;
  const Selection selection = first.selection();
  check(selection);
  refuse_mistaken_parts(data_parts(options.data).front().root, {.command = "resflow train", .with_val = true});
  TrainingData data = load_training_data(options.data, options.val, listener,
                                         first.on_error == "stop" ? OnError::kStop : OnError::kSkip, selection);
  if (stop_requested()) return say_stopped(" before the training began; nothing is changed");
  bool finished = true;
  try {
    finished = run_planned(options, runs, std::move(data), listener);
  } catch (const StoppedBeforeTraining&) {
    return say_stopped(" before the training began; nothing is changed");
  }
  return finished ? 0 : 128 + stop_signal();
}

// Declares every option of the table. Those without words of their own are shared with other subcommands.
void declare(CLI::App& command, TrainOptions& o) {
  const std::map<std::string, std::function<void()>> shared = {
      {"model", [&] { add_model_option(command, o.model); }},
      {"precision", [&] { add_training_precision_options(command, o.precision, o.force_precision); }},
      {"force_precision", [] {}},  // goes with the one above
      {"decode", [&] { add_decode_option(command, o.decode); }},
      {"threads", [&] { add_threads_option(command, o.threads); }},
      {"pin", [&] { add_pin_option(command, o.pin); }},
  };
  for (const Option<TrainOptions>& option : train_option_table()) {
    if (option.help.empty())
      shared.at(option.name)();
    else
      add_option_row(command, option, o);
  }
}

}  // namespace

Action add_train(CLI::App& command) {
  auto options = std::make_shared<TrainOptions>();
  declare(command, *options);
  command.footer(
      "Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 save after the current step and exit with 128 + the signal's number; 0\n"
      "is the exit code of a run that has all its epochs. --resume then goes on to the same bits as a run that was\n"
      "never stopped. best.resflow has the best validation accuracy; without validation data it is the last "
      "epoch's.\n\n"
      "From pretrained weights, with few photographs, a lower rate than the default is usual: --lr 1e-4.\n\n"
      "Example:\n"
      "  resflow train photos --val photos-val --model resnet18 --epochs 20 --out run\n"
      "  resflow train photos --val photos-val --out run --resume\n"
      "  resflow train photos --weights resnet34:DEFAULT --lr 1e-4 --epochs 5 --out run\n"
      "  resflow train photos --weights resnet34:DEFAULT --freeze conv1,bn1,layer1,layer2,layer3 --lr 1e-4\n"
      "  resflow train photos --weights resnet34:DEFAULT --mode features --epochs 100\n"
      "  resflow train photos --weights resnet34:DEFAULT --mode svm");

  return [options, &command] {
    if (!options->config.empty()) apply_config(command, options->config);
    options->given = given_options(command, train_option_table());
    return train(*options);
  };
}

}  // namespace resflow
