// A training run from its options to its files: the loop over epochs, validation, saving, resuming.
//
// The state of a run is its cursor (seed, epoch, next batch), the sums of the epoch under way, the parameters
// and the optimizer's state; all of it is in last.resflow, so a resumed run goes on to the same bits as one
// that was never interrupted (on the same machine with as many threads).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/initial_weights.h"
#include "apps/lr_find.h"
#include "apps/run_folder.h"
#include "apps/saved_options.h"
#include "apps/tensorboard_log.h"
#include "apps/threads.h"
#include "apps/train_options.h"
#include "apps/training_data.h"
#include "apps/training_outcome.h"
#include "apps/validation.h"
#include "graph/ema.h"
#include "graph/trainer.h"
#include "io/checkpoint.h"
#include "io/stage_times.h"
#include "pipeline/loader.h"
#include "pipeline/mix.h"

namespace resflow {

class TrainingRun {
 public:
  // Opens the folder, builds or resumes the model and prints the set-up.
  // Throws Error: kUsage for options that cannot be, kData for data or a checkpoint that cannot be used.
  TrainingRun(TrainOptions options, TrainingData data);
  ~TrainingRun();
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  // Trains until all epochs are done or a signal asks to stop (apps/signals.h). Throws Error; what was saved
  // before stays whole. A loss that is not a number is an Error{kUsage} that says what to try.
  TrainingOutcome run();

  // Instead of run(): tries learning rates (apps/lr_find.h), says what they did and writes lr-find.csv and its plot
  // into the folder. Returns false where a signal stopped it.
  bool find_lr();

 private:
  void check_batch() const;
  void read_weights_option();
  void open_model();
  ScheduleOptions schedule() const;
  double learning_rate_at(int64_t step) const;  // of the epoch under way
  void follow_schedule(int64_t step);
  bool stopped_early() const;
  std::string describe_frozen() const;
  void print_setup() const;
  void print_lr_advice(const std::vector<LrFindPoint>& points) const;
  void train_epoch();
  bool validate(EpochRecord& record);  // false: stopped
  void finish_epoch(const EpochRecord& record);
  void print_epoch(const EpochRecord& record, bool is_best) const;
  bool train_batch(const Batch& batch);
  void step(const Batch& batch, double factor);
  std::span<const float> mix(const Batch& batch);
  void log_preview(const Batch& batch);
  TrainingOutcome outcome(bool finished) const;
  bool saving_is_due() const;
  void warn_of_low_disk() const;
  void save_last();
  void save_best() const;
  Checkpoint checkpoint() const;
  void note_broken(const Dataset& dataset, const std::vector<Batch::Broken>& broken);
  void report_broken() const;
  double expected_seconds_after_epoch() const;
  [[noreturn]] void stop_diverged(const std::string& what) const;

  TrainOptions options_;
  TrainingData data_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<ThreadLimit> thread_limit_;
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<Ema> ema_;  // with --ema
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Validation> validation_;  // where there is validation data
  InitialWeights initial_;                  // of --weights; their values only until the model has them
  Preprocessing preprocessing_;
  std::vector<std::pair<std::string, std::string>> provenance_;
  TrainingState state_;
  MixOptions mix_;
  std::vector<float> targets_;                 // of a mixed batch
  std::unique_ptr<TensorBoardLog> board_;      // while it trains
  StageTimes times_;                           // of loading
  int64_t batches_ = 0;                        // of an epoch
  int64_t lone_pictures_ = 0;                  // batches of one picture that could not be trained on
  std::map<std::string, std::string> broken_;  // path -> reason
};

}  // namespace resflow
