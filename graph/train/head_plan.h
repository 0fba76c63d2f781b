// The head of a model, its layer `fc`, on features that were computed before: rows of what Plan gives as
// Output::kFeatures.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "graph/model/model.h"

namespace resflow {

class HeadPlan {
 public:
  // For up to `batch` rows at once. The model outlives it. Throws Error{kUsage} for a batch below 1.
  HeadPlan(Model& model, int64_t batch);
  ~HeadPlan();

  // features (rows, Model::feature_count) row-major f32, 1 <= rows <= batch, else Error{kInternal}. Returns the
  // outputs, (batch, classes) row-major, valid until the next forward; what follows `rows` means nothing. Follows
  // changes of the parameters by itself.
  std::span<const float> forward(const float* features, int64_t rows);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
