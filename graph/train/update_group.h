// The batches of one update, where gradients are accumulated.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/model/model.h"
#include "io/checkpoint/training_state.h"

namespace resflow {

// Each batch of a group moves the epoch's sums and BN's running statistics at once, the parameters only move with the
// last one. A run that stops in between goes back to the group's beginning, from where a resumed one gives the same
// bits.
class UpdateGroup {
 public:
  // Both outlive it. Allocates what begin() needs.
  UpdateGroup(Model& model, TrainingState& state);

  // The next batch is the group's first.
  void begin();
  // Everything is as it was at the last begin().
  void take_back();

 private:
  struct Buffer {
    Parameter* parameter;
    std::vector<std::byte> value;  // in the parameter's layout
    int64_t count = 0;
  };

  TrainingState& state_;
  TrainingState before_;
  std::vector<Buffer> buffers_;
};

}  // namespace resflow
