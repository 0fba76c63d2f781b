// A tensor of the model that outlives every Plan: a learnt parameter or a buffer (BN's running statistics).
//
// Names are torchvision's: "layer1.0.conv1.weight". Values are f32 whatever a Plan computes in. The layout
// of `value` is the one that the training Plan asked for; import and export go through the plain one.
// `gradient` is made by the training Plan, in the same layout as `value`: after its ops are constructed (they choose
// the layouts), before their bind() (there they take the addresses). So after bind() neither may move.
#pragma once

#include <cstdint>
#include <string>

#include "ops/tensor.h"

namespace resflow {

struct Parameter {
  std::string name;
  Tensor value;
  Tensor gradient;        // empty until a training Plan exists; never for buffers
  bool learnt = true;     // false for buffers: saved with the model, not touched by an optimizer
  bool frozen = false;    // no gradient is computed, no update is made
  bool decay = true;      // weight decay applies
  double lr_scale = 1;    // its learning rate is the optimizer's times this
  bool laid_out = false;  // a training op has chosen the layout of value: it must not change any more
  uint64_t version = 0;   // counts changes of value: a Plan that holds folded copies refreshes them
  // num_batches_tracked is an i64 in files: is_count is true, `count` is its value and `value` stays empty.
  bool is_count = false;
  int64_t count = 0;
};

}  // namespace resflow
