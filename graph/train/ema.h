// An exponential moving average of a model's values, which often scores better than the values themselves:
//
//   average = decay * average + (1 - decay) * values          after each step; the first one copies
//
// of parameters and of BN's running statistics, as torchvision's reference training (use_buffers) has it. The count
// num_batches_tracked is the model's own. What is frozen is its own average, to the bit.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/arena.h"
#include "io/core/named_array.h"

namespace resflow {

class Ema {
 public:
  // Once the training Plan has laid out the parameters. The model outlives it. Throws Error{kUsage} for a decay
  // outside of [0, 1).
  Ema(const Model& model, double decay);

  void update();  // allocates nothing
  // Exchanges the average and the model's values: the model is the average until the next swap. Before the first
  // update nothing happens.
  void swap();

  size_t bytes() const { return arena_.bytes(); }
  bool empty() const { return empty_; }

  // "NAME/ema" in the plain layout; nothing before the first update.
  std::vector<NamedArray> state() const;
  // Takes what state() gave out of `state`, and leaves the rest there. Throws Error{kData} where some of it, but not
  // all, is there, or of other dims.
  void take(std::vector<NamedArray>& state);

 private:
  struct Entry {
    Parameter* parameter;
    Tensor average;
    size_t elements;  // a tensor's size is not to be had without an allocation
  };

  const Compute& compute_;
  double decay_;
  Arena arena_;
  std::vector<Entry> entries_;
  bool empty_ = true;
};

}  // namespace resflow
