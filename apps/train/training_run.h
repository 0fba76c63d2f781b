// A training run from its options to its files: the loop over epochs, validation, saving, resuming.
//
// The state of a run is its cursor (seed, epoch, next batch), the sums of the epoch under way, the parameters
// and the optimizer's state; all of it is in last.resflow, so a resumed run goes on to the same bits as one
// that was never interrupted (on the same machine with as many threads).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/train/lr_find.h"
#include "apps/train/opened_run.h"
#include "apps/train/tensorboard_log.h"
#include "apps/train/validation.h"
#include "graph/train/ema.h"
#include "graph/train/trainer.h"
#include "io/core/stage_times.h"
#include "pipeline/loader.h"
#include "pipeline/pixels/mix.h"

namespace resflow {

class TrainingRun : private OpenedRun {
 public:
  // Opens the folder, builds or resumes the model and prints the set-up.
  // Throws Error: kUsage for options that cannot be, kData for data or a checkpoint that cannot be used.
  TrainingRun(TrainOptions options, TrainingData data);
  ~TrainingRun();

  // Trains until all epochs are done or a signal asks to stop (apps/host/signals.h). Throws Error; what was saved
  // before stays whole. A loss that is not a number is an Error{kUsage} that says what to try.
  TrainingOutcome run();

  // Instead of run(): tries learning rates (apps/train/lr_find.h), says what they did and writes lr-find.csv and its
  // plot into the folder. Returns false where a signal stopped it.
  bool find_lr();

 private:
  void make_trainer();
  ScheduleOptions schedule() const;
  double learning_rate_at(int64_t step) const;  // of the epoch under way
  void follow_schedule(int64_t step);
  std::string describe_frozen() const;
  void print_setup() const;
  void print_lr_advice(const std::vector<LrFindPoint>& points) const;
  void train_epoch();
  bool validate(EpochRecord& record);  // false: stopped
  void finish_epoch(const EpochRecord& record);
  bool train_batch(const Batch& batch);
  void step(const Batch& batch, double factor);
  std::span<const float> mix(const Batch& batch);
  void log_preview(const Batch& batch);
  TrainingOutcome outcome(bool finished) const;
  bool saving_is_due() const;
  void warn_of_low_disk() const;
  void save_last();
  void save_best() const;
  Checkpoint finite_checkpoint() const;
  void report_broken() const;
  double expected_seconds_after_epoch() const;

  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<Ema> ema_;  // with --ema
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Validation> validation_;  // where there is validation data
  MixOptions mix_;
  std::vector<float> targets_;             // of a mixed batch
  std::unique_ptr<TensorBoardLog> board_;  // while it trains
  StageTimes times_;                       // of loading
  int64_t batches_ = 0;                    // of an epoch
  int64_t lone_pictures_ = 0;              // batches of one picture that could not be trained on
};

}  // namespace resflow
