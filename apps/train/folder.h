// The folder of a training run: last.resflow (to resume from), best.resflow (to score with), history.csv, config.toml,
// report.html, tensorboard/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/train/lr_find.h"
#include "io/checkpoint/training_state.h"
#include "io/files/file_lock.h"

namespace resflow {

// The files that a run in the folder can go on from, the newest first: last.resflow and the generations before it
// (io/files/file.h). Of a run that was killed where the file system has no links, or of one whose file was removed,
// there may be a generation alone. Throws Error{kUsage} where there is none.
std::vector<std::string> saved_states(const std::string& run_folder);
// Whether there is one.
bool holds_run(const std::string& run_folder);

class RunFolder {
 public:
  enum class Open { kNew, kResume, kOverwrite };

  // Makes the folder where it is not there, and owns it from then on: resflow.lock in it says so, and every copy of the
  // object holds it. Throws Error{kUsage}: it holds a run already (kNew), it holds none (kResume), it cannot be made or
  // is no folder, another process owns it, or something that no run made has the name of one of its files (kOverwrite).
  // Nothing of an old run is touched yet under kOverwrite.
  RunFolder(const std::string& path, Open how);

  std::string last() const { return path_ + "/last.resflow"; }
  std::string damaged() const { return path_ + "/last.resflow.damaged"; }
  std::string best() const { return path_ + "/best.resflow"; }
  std::string history() const { return path_ + "/history.csv"; }
  std::string config() const { return path_ + "/config.toml"; }
  std::string tensorboard() const { return path_ + "/tensorboard"; }
  std::string lr_find_csv() const { return path_ + "/lr-find.csv"; }
  std::string lr_find_plot() const { return path_ + "/lr-find.svg"; }
  const std::string& path() const { return path_; }

  bool has_last() const;

  // While it lives, no other process trains in the folder.
  const std::shared_ptr<const FileLock>& lock() const { return lock_; }

  // Takes away what an old run left beside last.resflow, earlier generations included. Throws Error, kUsage where there
  // is no permission, else kSystem.
  void clear_former() const;

  // Renames a last.resflow from which the run cannot go on to damaged(), so that no later saving takes it for a
  // generation worth keeping. Throws Error{kSystem}.
  void set_damaged_aside() const;

  // epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,unreadable,broken; no value where there
  // is no validation data. Whole or not at all.
  void write_history(const std::vector<EpochRecord>& history) const;
  void write_config(const std::string& toml) const;
  void write_lr_find(const std::vector<LrFindPoint>& points) const;

  // Free on its disk for this process, bytes; -1 where the system does not say.
  int64_t free_bytes() const;

 private:
  void check(Open how) const;
  std::vector<std::string> former_files() const;

  std::string path_;
  std::shared_ptr<const FileLock> lock_;
};

// Of the run whose last.resflow or best.resflow is at `checkpoint`.
std::string report_path(const std::string& checkpoint);

}  // namespace resflow
