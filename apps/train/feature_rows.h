// Features of a run's pictures as rows to train on: what the modes features and svm begin with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "apps/train/run.h"
#include "io/core/array.h"

namespace resflow {

// Whole rows of features with their labels; pictures that cannot be read are not among them.
struct FeatureRows {
  int64_t columns = 0;
  std::vector<const float*> rows = {};
  std::vector<int32_t> labels = {};
  std::vector<int64_t> pictures = {};  // index into the data set: a picture's augmented copies have the same
  int64_t originals = 0;               // the first so many rows are of the pictures themselves

  std::vector<Array> values = {};  // what the rows point into
};

// One after another, `rows` of them from `first` on, into `to`.
void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to);

struct RunFeatures {
  FeatureRows train, val;  // `val` has no rows where there is no validation data
  LeftOut left_out = {};   // of both, without copies; what a cache says of a picture is that it is broken
};

// Computes or reads the features of the training pictures, their augmented copies and the validation pictures. Empty
// where the listener asked to stop. Throws as FeatureExtractor does, and Error{kData} where no picture can be read.
std::optional<RunFeatures> extract_features(Run& run);

}  // namespace resflow
