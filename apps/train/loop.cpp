#include "apps/train/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "apps/train/lines.h"
#include "apps/train/saved_options.h"
#include "io/core/error.h"
#include "io/core/setting.h"
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

// The run's files. last.resflow is the run: what can be made again from it comes behind it.
class Files {
 public:
  Files(Run& run, TrainingMode& mode)
      : run_(run), mode_(mode), saved_epoch_(run.options.resume ? run.state.epoch : -1) {}

  // Shows before hours of work that the folder takes checkpoints, and a run can be resumed from its start on.
  void begin() {
    mode_.begin();
    // A former run goes when there is this one in its place.
    save_checkpoint(mode_.last(), run_.folder.last(), 1);
    saved_epoch_ = run_.state.epoch;
    if (run_.options.overwrite) run_.folder.clear_former();
    write_auxiliary();
  }

  void resume() {
    // It may have been killed right after it was begun, before a former run had gone.
    if (run_.state.history.empty() && run_.state.next_batch == 0 && run_.folder.has_last()) run_.folder.clear_former();
    if (!best_is_behind()) return;
    keep_best();
    save_best();
  }

  void keep_best() {
    mode_.keep_best();
    has_best_ = true;
    best_epoch_ = run_.state.epoch;
  }

  void save() {
    const bool best_in_last = mode_.last_can_be_best() && best_epoch_ == run_.state.epoch;
    if (!best_in_last) save_best();
    save_last(run_, mode_);
    saved_epoch_ = run_.state.epoch;
    save_best();
    write_auxiliary();
    since_saving_.restart();
  }

  bool saving_is_due() const { return since_saving_.seconds() >= mode_.seconds_between_savings(); }
  // What was trained since: whole epochs, or a part of one.
  bool complete() const { return saved_epoch_ == run_.state.epoch && run_.state.next_batch == 0 && !has_best_; }

  // Saves what there is, if that can be, because the machine has failed. Throws `failure`, with what there is to go on
  // from.
  [[noreturn]] void rescue(const Error& failure) {
    std::string text = failure.marked();
    try {
      if (mode_.can_be_saved() && !complete()) save();
    } catch (const Error& error) {
      text += "; " + error.marked();
    }
    if (saved_epoch_ >= 0)
      text += fmt::format("; the run is saved in {}: go on with {}", run_.folder.last(), setting("resume"));
    throw Error(failure.kind(), text);
  }

 private:
  void save_best() {
    if (has_best_) save_checkpoint(mode_.best(), run_.folder.best());
    has_best_ = false;
  }

  void write_auxiliary() {
    try_auxiliary(run_, "history.csv", [this] { run_.folder.write_history(run_.state.history); });
    std::error_code unknown;
    if (!run_.options.resume || !std::filesystem::exists(run_.folder.config(), unknown))
      try_auxiliary(run_, "config.toml", [this] { run_.folder.write_config(train_config(run_.options)); });
  }

  // Whether the last epoch was the best, and best.resflow is of an earlier one.
  bool best_is_behind() const {
    const std::vector<EpochRecord>& history = run_.state.history;
    if (!mode_.last_can_be_best() || history.empty() || run_.state.next_batch != 0) return false;
    const bool is_best = std::all_of(history.begin(), history.end() - 1, [&](const EpochRecord& before) {
      return !has_validation(run_) || before.val_accuracy < history.back().val_accuracy;
    });
    if (!is_best) return false;
    try {
      return read_checkpoint_summary(run_.folder.best()).checkpoint.training.epoch != run_.state.epoch;
    } catch (const Error&) {
      return true;
    }
  }

  Run& run_;
  TrainingMode& mode_;
  bool has_best_ = false;    // kept, and not yet in its file
  int64_t best_epoch_ = -1;  // of what is kept
  int64_t saved_epoch_;      // of last.resflow; -1 where there is none yet
  Stopwatch since_saving_;
};

void finish_epoch(Run& run, TrainingMode& mode, Files& files, const Epoch& epoch) {
  TrainingState& state = run.state;
  const EpochRecord& record = epoch.record;
  const bool is_best = !has_validation(run) || record.val_accuracy > state.best_val_accuracy;
  if (is_best && has_validation(run)) state.best_val_accuracy = record.val_accuracy;
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
  log_to_board(run, [&](TensorBoardLog& board) { board.epoch(record, epoch.images_per_second); });
  run.listener->say(mode.epoch_line(record, is_best));
}

void train_on(Run& run, TrainingMode& mode, Files& files, int64_t epochs) {
  const TrainingState& state = run.state;
  if (state.epoch >= epochs || stopped_early(run) || !mode.prepare()) return;
  try_auxiliary(run, "TensorBoard",
                [&] { run.board = std::make_unique<TensorBoardLog>(run.folder.tensorboard(), state.epoch); });
  while (state.epoch < epochs && !stopped_early(run) && !run.listener->stop()) {
    const std::optional<Epoch> epoch = mode.train_epoch();
    if (!epoch) break;
    finish_epoch(run, mode, files, *epoch);
  }
}

}  // namespace

std::string TrainingMode::done_line() const { return epochs_done_line(run_); }

void TrainingMode::say_skipped() const {
  say(*run_.listener, broken_lines(run_));
  say(*run_.listener, truncated_lines(run_));
}

void save_last(const Run& run, TrainingMode& mode) {
  save_checkpoint(mode.last(), run.folder.last(), run.options.keep);
}

TrainingOutcome train_epochs(Run& run, TrainingMode& mode, int64_t epochs) {
  const TrainingState& state = run.state;
  Files files(run, mode);
  if (run.options.resume)
    files.resume();
  else
    files.begin();
  if (run.options.resume && state.epoch >= epochs) run.listener->say(mode.done_line());

  try {
    train_on(run, mode, files, epochs);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kSystem) throw;
    if (dynamic_cast<const Outage*>(&e) != nullptr) mode.say_skipped();
    files.rescue(e);
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
