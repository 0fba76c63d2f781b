#include "apps/train/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "apps/train/lines.h"
#include "apps/train/saved_options.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"

namespace resflow {
namespace {

// Has validation's accuracy not been better for `early_stop` epochs?
bool stopped_early(const Run& run) {
  if (run.options.early_stop == 0) return false;
  const std::vector<EpochRecord>& history = run.state.history;
  const auto best = std::max_element(history.begin(), history.end(), [](const EpochRecord& a, const EpochRecord& b) {
    return a.val_accuracy < b.val_accuracy;
  });
  return std::distance(best, history.end()) > run.options.early_stop;
}

// The run's files, of which last.resflow comes last: were the run killed before it, the resumed one would write the
// others again.
class Files {
 public:
  Files(Run& run, TrainingMode& mode)
      : run_(run), mode_(mode), saved_epoch_(run.options.resume ? run.state.epoch : -1) {}

  // Shows before hours of work that the folder takes checkpoints, and a run can be resumed from its start on.
  void begin() {
    if (run_.options.overwrite) run_.folder.clear();
    mode_.begin();
    save_last(run_, mode_);
    run_.folder.write_history(run_.state.history);
    run_.folder.write_config(train_config(run_.options));
    saved_epoch_ = run_.state.epoch;
  }

  void keep_best() {
    mode_.keep_best();
    has_best_ = true;
  }

  void save() {
    if (has_best_) save_checkpoint(mode_.best(), run_.folder.best());
    has_best_ = false;
    run_.folder.write_history(run_.state.history);
    save_last(run_, mode_);
    saved_epoch_ = run_.state.epoch;
    since_saving_.restart();
  }

  bool saving_is_due() const { return since_saving_.seconds() >= mode_.seconds_between_savings(); }
  // What was trained since: whole epochs, or a part of one.
  bool complete() const { return saved_epoch_ == run_.state.epoch && run_.state.next_batch == 0; }

 private:
  Run& run_;
  TrainingMode& mode_;
  bool has_best_ = false;  // kept, and not yet in its file
  int64_t saved_epoch_;    // of last.resflow; -1 where there is none yet
  Stopwatch since_saving_;
};

void finish_epoch(Run& run, TrainingMode& mode, Files& files, const Epoch& epoch) {
  TrainingState& state = run.state;
  const EpochRecord& record = epoch.record;
  const bool is_best = !has_validation(run) || record.val_accuracy > state.best_val_accuracy;
  if (is_best && has_validation(run)) state.best_val_accuracy = record.val_accuracy;
  run.board->epoch(record, epoch.images_per_second);
  state.history.push_back(record);
  state.epoch = record.epoch;
  state.next_batch = 0;
  state.epoch_loss_sum = 0;
  state.epoch_correct = 0;
  state.epoch_samples = 0;
  state.epoch_seconds = 0;
  state.epoch_left_out = {};
  if (is_best) files.keep_best();
  if (files.saving_is_due()) files.save();
  run.listener->say(mode.epoch_line(record, is_best));
}

// Saves what was trained before the pictures could not be read any more, and throws what says how to go on.
[[noreturn]] void end_in_outage(const Run& run, TrainingMode& mode, Files& files, const Outage& outage) {
  std::string saved =
      fmt::format("the run is saved in {} as it was before: go on with {}", run.folder.last(), setting("resume"));
  try {
    if (!files.complete()) files.save();
  } catch (const Error& error) {
    saved = fmt::format("{}; {} goes on from what was saved before", error.marked(), setting("resume"));
  }
  mode.say_skipped();
  throw system_error("{}; {}", outage.marked(), saved);
}

void train_on(Run& run, TrainingMode& mode, Files& files, int64_t epochs) {
  const TrainingState& state = run.state;
  if (state.epoch >= epochs || stopped_early(run) || !mode.prepare()) return;
  run.board = std::make_unique<TensorBoardLog>(run.folder.tensorboard(), state.epoch);
  while (state.epoch < epochs && !stopped_early(run) && !run.listener->stop()) {
    const std::optional<Epoch> epoch = mode.train_epoch();
    if (!epoch) break;
    finish_epoch(run, mode, files, *epoch);
  }
}

}  // namespace

std::string TrainingMode::done_line() const { return epochs_done_line(run_); }

void TrainingMode::say_skipped() const { say(*run_.listener, broken_lines(run_)); }

void save_last(const Run& run, TrainingMode& mode) {
  save_checkpoint(mode.last(), run.folder.last(), run.options.keep);
}

TrainingOutcome train_epochs(Run& run, TrainingMode& mode, int64_t epochs) {
  const TrainingState& state = run.state;
  Files files(run, mode);
  if (!run.options.resume) files.begin();
  if (run.options.resume && state.epoch >= epochs) run.listener->say(mode.done_line());

  try {
    train_on(run, mode, files, epochs);
  } catch (const Outage& outage) {
    end_in_outage(run, mode, files, outage);
  }

  const bool early = state.epoch < epochs && state.next_batch == 0 && stopped_early(run);
  const bool finished = early || state.epoch >= epochs;
  if (!files.complete()) files.save();
  if (early) run.listener->say(early_stop_line(run));
  if (!finished) run.listener->say(mode.stopped_line());
  mode.say_skipped();
  return outcome_of(run, finished);
}

}  // namespace resflow
