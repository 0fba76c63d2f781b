// What a training run leaves.
#pragma once

#include <string>
#include <vector>

#include "io/checkpoint.h"

namespace resflow {

struct TrainingOutcome {
  bool finished = false;  // false: a signal stopped it, and it can be resumed
  std::string last, best, history;
  std::vector<EpochRecord> records;
};

}  // namespace resflow
