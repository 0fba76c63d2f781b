// The fingerprint (apps/score/fingerprint.h) of a scoring, from what it is scored with.
#pragma once

#include <string>
#include <vector>

#include "apps/score/fingerprint.h"
#include "apps/score/output.h"
#include "io/checkpoint/description.h"
#include "io/images/decode.h"
#include "ops/precision.h"

namespace resflow {

struct ScoredWith {
  std::string model_path;  // the file that was read
  std::string architecture;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
  std::vector<std::string> inputs;  // as they were given
  bool exif = false;                // asked for, whatever the preprocessing says
  DecodeMode decode = DecodeMode::kExact;
  Acceptance accept = {};
  Precision precision = Precision::kF32;
  int batch = 32;
};

// Reads the model's file for its hash. Throws as InputFile does.
Fingerprint score_fingerprint(const ScoredWith& with, const ScoreOutputOptions& output);

}  // namespace resflow
