// The precision that a job computes in, from its name: what this CPU and this model allow.
#pragma once

#include <string>

#include "graph/model/trained_model.h"
#include "ops/precision.h"

namespace resflow {

struct PrecisionOptions {
  std::string name = "f32";
  bool force = false;
};

// Throws Error{kUsage} where this CPU computes bf16 no faster than f32, unless that is forced. What is slower all the
// same resolve_precision() says on standard error; after checked_precision() it is for warn_of_obstacle() to say, when
// nothing else is wrong.
Precision checked_precision(const PrecisionOptions& options);
Precision resolve_precision(const PrecisionOptions& options);
void warn_of_obstacle(Precision precision);

// The same where int8 is none of the choices: training knows f32 and bf16. training_precision() says nothing on
// standard error.
Precision training_precision(const PrecisionOptions& options);
Precision resolve_training_precision(const PrecisionOptions& options);

// Throws Error{kUsage} for kInt8 of a model that is not quantized. `path` is for the sentence.
void require_quantized(const TrainedModel& trained, Precision precision, const std::string& path);

}  // namespace resflow
