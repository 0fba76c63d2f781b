// What a training run leaves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint/training_state.h"
#include "io/core/stage_times.h"
#include "io/files/file_lock.h"
#include "io/images/decode.h"

namespace resflow {

struct TrainingOutcome {
  bool finished = false;  // false: a signal stopped it, and it can be resumed
  std::string last, best, history;
  std::vector<EpochRecord> records;
  // For its report.
  std::vector<std::pair<std::string, std::string>> configuration = {};
  StageTimes times = {};  // of training in this process
  int threads = 1;
  DecodeMode decode = DecodeMode::kExact;
  std::shared_ptr<const FileLock> lock = nullptr;  // of its folder, while there is more to write
};

}  // namespace resflow
