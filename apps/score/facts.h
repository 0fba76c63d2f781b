// What shapes the rows of a scoring, in words: a run goes on, and shards are merged, only where all of it is the same.
#pragma once

#include <string>
#include <vector>

#include "apps/score/journal.h"
#include "apps/score/output.h"
#include "io/checkpoint/description.h"
#include "io/images/decode.h"
#include "ops/precision.h"

namespace resflow {

struct ScoredWith {
  std::string model_path;  // of the file that was read
  std::string architecture;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
};

// Reads the model's file for its hash. Throws as InputFile does.
Facts score_facts(const ScoredWith& with, const std::vector<std::string>& inputs, bool exif, DecodeMode decode,
                  Precision precision, const ScoreOutputOptions& output);

}  // namespace resflow
