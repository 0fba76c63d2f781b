// Where a run of training stands, and what its epochs came to.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace resflow {

// Pictures that an epoch had to do without.
struct LeftOut {
  int64_t unreadable = 0;  // their files could not be opened or read
  int64_t broken = 0;      // what they hold is no picture, or a damaged one

  bool operator==(const LeftOut&) const = default;
};

// One epoch's line of history.csv.
struct EpochRecord {
  int64_t epoch = 0;  // from 1
  double train_loss = 0, train_accuracy = 0;
  double val_loss = 0, val_accuracy = 0;  // NaN where there is no validation set
  double learning_rate = 0;
  double seconds = 0;
  LeftOut left_out = {};  // in training and validation
};

// Where a run stands: all that is needed to go on to the same bits.
struct TrainingState {
  uint64_t seed = 0;
  int64_t epoch = 0;          // finished epochs
  int64_t next_batch = 0;     // within the epoch that is under way
  int64_t step = 0;           // optimizer steps so far
  double epoch_loss_sum = 0;  // of the epoch under way, over samples
  int64_t epoch_correct = 0;
  int64_t epoch_samples = 0;
  double epoch_seconds = 0;
  LeftOut epoch_left_out = {};
  double best_val_accuracy = -1;
  std::vector<EpochRecord> history;
  std::vector<std::pair<std::string, std::string>> options;  // the run's options, to refuse a resume with others
  std::string fingerprint;  // machine, threads, versions: the same one gives the same bits
  std::string files;        // stands for the sizes and times of the pictures' files; empty where that is not known
  std::vector<std::pair<std::string, std::string>> broken;  // pictures that could not be read so far, and why
  int64_t broken_count = 0;                                 // how many there are: `broken` may name only some
  // What a newer resflow wrote into it and this one cannot read, as words. Such a run cannot be gone on with.
  std::vector<std::string> unknown;
};

// Throws Error{kData} for counts, rates and times that no run can have come to.
void check_training_state(const TrainingState& state);

}  // namespace resflow
