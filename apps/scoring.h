// Photographs to rows of path, class, probability and error, as a stream.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/trained_model.h"
#include "io/picture_source.h"
#include "ops/precision.h"

namespace resflow {

struct ClassProbability {
  std::string name;
  double probability = 0;
};

// One file's outcome: the best classes, best first, or why there are none.
struct ScoreRow {
  std::string path;
  std::vector<ClassProbability> top;
  std::string error;
};

struct ScoreLimits {
  int top = 1;  // classes a row
  int batch = 32;
  int threads = 1;
  bool exif = false;  // pictures are turned upright as their EXIF data say, even if the model does not ask for it
  Precision precision = Precision::kF32;
};

struct ScoreSummary {
  int64_t files = 0, failed = 0;
  double seconds = 0;
  bool stopped = false;  // a signal asked to (apps/signals.h)
};

// Calls `row` once a picture, in the source's order, from one thread at a time, while later ones are still on their
// way. A file that cannot be read gets a row with the error. An exception of `row` ends the scoring and leaves.
// Throws what the source throws, after the rows of the pictures before it. REQUIRES: 1 <= top <= number of classes.
ScoreSummary score_pictures(const TrainedModel& trained, PictureSource& source, const ScoreLimits& limits,
                            const std::function<void(const ScoreRow&)>& row);

// Header and rows of the table: path,class,probability,error; with more classes a row
// path,class,probability,class_2,probability_2,...,error.
std::string score_csv_header(int top);
std::string score_csv_row(const ScoreRow& row, int top);

}  // namespace resflow
