// The precision that a job computes in, from its name: what this CPU and this model allow.
#pragma once

#include <string>

#include "graph/model/trained_model.h"
#include "io/core/listener.h"
#include "ops/precision.h"

namespace resflow {

struct PrecisionOptions {
  std::string name = "f32";
  bool force = false;
};

// The precision of that name. Throws Error{kUsage} for an unknown name, and for bf16 where this CPU computes it no
// faster than f32, unless it is forced.
Precision checked_precision(const PrecisionOptions& options);

// Warns where this CPU computes `precision` no faster than f32. A job calls it once nothing else is wrong.
void warn_of_obstacle(Precision precision, Listener& listener);

// checked_precision() and warn_of_obstacle().
Precision resolve_precision(const PrecisionOptions& options, Listener& listener);

// The same for training, which knows f32 and bf16: int8 is an Error{kUsage}, too.
Precision training_precision(const PrecisionOptions& options);
Precision resolve_training_precision(const PrecisionOptions& options, Listener& listener);

// Throws Error{kUsage} for kInt8 of a model that is not quantized. `path` is for the sentence.
void require_quantized(const TrainedModel& trained, Precision precision, const std::string& path);

}  // namespace resflow
