// The folder of a training run: last.resflow (to resume from), best.resflow (to score with), history.csv, config.toml,
// report.html, tensorboard/.
#pragma once

#include <string>
#include <vector>

#include "apps/train/lr_find.h"
#include "io/checkpoint/training_state.h"

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
  std::string config() const { return path_ + "/config.toml"; }
  std::string tensorboard() const { return path_ + "/tensorboard"; }
  std::string lr_find_csv() const { return path_ + "/lr-find.csv"; }
  std::string lr_find_plot() const { return path_ + "/lr-find.svg"; }
  const std::string& path() const { return path_; }

  // Takes an old run's files away, earlier generations included.
  void clear() const;

  // epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,unreadable,broken; no value where there
  // is no validation data. Whole or not at all.
  void write_history(const std::vector<EpochRecord>& history) const;
  void write_config(const std::string& toml) const;
  void write_lr_find(const std::vector<LrFindPoint>& points) const;

  // Free on its disk for this process, bytes; -1 where the system does not say.
  int64_t free_bytes() const;

 private:
  std::string path_;
};

// Of the run whose last.resflow or best.resflow is at `checkpoint`.
std::string report_path(const std::string& checkpoint);

}  // namespace resflow
