// The folder of a training run: last.resflow (to resume from), best.resflow (to score with), history.csv.
#pragma once

#include <string>
#include <vector>

#include "io/checkpoint.h"

namespace resflow {

class RunFolder {
 public:
  enum class Open { kNew, kResume, kOverwrite };

  // Makes the folder where it is not there. Throws Error{kUsage}: it holds a run already (kNew), it holds none
  // (kResume), it cannot be made or is no folder. Nothing of an old run is touched yet under kOverwrite.
  RunFolder(const std::string& path, Open how);

  std::string last() const { return path_ + "/last.resflow"; }
  std::string best() const { return path_ + "/best.resflow"; }
  std::string history() const { return path_ + "/history.csv"; }
  const std::string& path() const { return path_; }

  // Takes an old run's files away, earlier generations included.
  void clear() const;

  // epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds; no value where there is no
  // validation data. Whole or not at all.
  void write_history(const std::vector<EpochRecord>& history) const;

 private:
  std::string path_;
};

}  // namespace resflow
