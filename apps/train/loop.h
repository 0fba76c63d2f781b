// The loop over the epochs of a run, the same for every mode: it knows how a run begins, goes on and ends, and in which
// order its files are written.
#pragma once

#include <optional>
#include <string>

#include "apps/train/run.h"

namespace resflow {

struct Epoch {
  EpochRecord record;
  double images_per_second = 0;  // of training
};

// What the modes differ in.
class TrainingMode {
 public:
  virtual ~TrainingMode() = default;

  // Called for a new run when its folder is cleared and nothing is saved yet.
  virtual void begin() {}
  // What has to be done before the first epoch of this process. False where the listener asked to stop.
  virtual bool prepare() { return true; }
  // Trains epoch state.epoch + 1, or what is left of it, and validates. Empty where the listener asked to stop.
  virtual std::optional<Epoch> train_epoch() = 0;

  // The model as it is now is the best so far.
  virtual void keep_best() {}
  // What best.resflow and last.resflow are to hold. last() has the optimizer, too.
  virtual Checkpoint best() = 0;
  virtual Checkpoint last() = 0;
  // At least so long passes between savings after epochs.
  virtual double seconds_between_savings() const { return 0; }

  virtual std::string done_line() const;  // of a run that has all of its epochs already
  virtual std::string epoch_line(const EpochRecord& record, bool is_best) const = 0;
  virtual std::string stopped_line() const = 0;
  virtual void say_skipped() const;  // what could not be trained on

 protected:
  explicit TrainingMode(Run& run) : run_(run) {}
  TrainingMode(const TrainingMode&) = delete;
  TrainingMode& operator=(const TrainingMode&) = delete;

  Run& run_;  // outlives the mode
};

// Trains until the run has `epochs` epochs, gets no better (early_stop) or the listener asks to stop, and says what it
// does. Throws Error; what was saved before stays whole. Where it is an Error{kSystem} because pictures could not be
// read any more (Outage), what was trained before is saved, and the run can be resumed from there to the same bits.
TrainingOutcome train_epochs(Run& run, TrainingMode& mode, int64_t epochs);

// Writes last.resflow, from which a run can go on.
void save_last(const Run& run, TrainingMode& mode);

}  // namespace resflow
