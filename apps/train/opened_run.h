// What a training run of every mode begins with: its folder, its threads, its model with the values it starts from, and
// its state, new or as the resumed checkpoint has it.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/data/training_data.h"
#include "apps/host/thread_limit.h"
#include "apps/model/initial_weights.h"
#include "apps/train/run_folder.h"
#include "apps/train/train_options.h"
#include "apps/train/training_outcome.h"
#include "graph/model/model.h"
#include "io/checkpoint/checkpoint.h"
#include "pipeline/loader.h"

namespace resflow {

class OpenedRun {
 public:
  OpenedRun(const OpenedRun&) = delete;
  OpenedRun& operator=(const OpenedRun&) = delete;

 protected:
  enum class Batches {
    kWhole,  // as the loader makes them: --batch pictures or, at an epoch's end, fewer; never more than there are
    kAny,    // --batch is a bound
  };

  // Opens --out, builds the model and gives it its values: the resumed checkpoint's, those of --weights, or random
  // ones. Throws Error: kUsage for options that cannot be, kData for data or a checkpoint that cannot be used.
  OpenedRun(TrainOptions options, TrainingData data, Batches batches);
  ~OpenedRun();

  static constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();  // of a record, where there is none
  static double seconds_now();                                                  // of a clock that only goes forward

  bool has_validation() const { return !data_.val.samples.empty(); }
  OnError on_error() const { return options_.on_error == "stop" ? OnError::kStop : OnError::kSkip; }

  // Of the model as it is now, without an optimizer.
  Checkpoint checkpoint() const;
  // Files, history and configuration; threads and decoding.
  TrainingOutcome outcome(bool finished) const;

  // --early-stop: has validation's accuracy not been better for too long?
  bool stopped_early() const;
  // Of every epoch so far: validation's, where there is one.
  std::vector<double> losses() const;

  // Lines of the set-up and of an epoch, as every mode prints them.
  void print_data() const;       // data, validation, model, where the weights come from
  void print_optimizer() const;  // and the schedule
  void print_epoch(const EpochRecord& record, bool is_best, int second_digits) const;
  void print_early_stop() const;

  void note_broken(const Dataset& dataset, std::span<const BrokenPicture> broken);
  void print_broken() const;

  [[noreturn]] void stop_diverged(const std::string& what) const;

  TrainOptions options_;
  TrainingData data_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<ThreadLimit> thread_limit_;
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<Model> model_;
  Preprocessing preprocessing_;
  TrainingState state_;
  std::vector<NamedArray> saved_optimizer_;    // --resume: the optimizer's state, for whoever makes it
  std::map<std::string, std::string> broken_;  // path -> reason

 private:
  void check_batch(Batches batches) const;
  void read_weights_option();
  void resume(Batches batches);
  void start();
  void make_model();

  InitialWeights initial_;  // of --weights; their values only until the model has them
  std::vector<std::pair<std::string, std::string>> provenance_;
};

}  // namespace resflow
