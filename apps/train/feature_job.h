// What the two modes that train on features begin with: data, run folder, model, and the features themselves.
#pragma once

#include <vector>

#include "apps/train/feature_extraction.h"
#include "apps/train/opened_run.h"

namespace resflow {

// Whole rows of features with their labels; pictures that cannot be read are not among them.
struct FeatureRows {
  int64_t columns = 0;
  std::vector<const float*> rows;
  std::vector<int32_t> labels;
  std::vector<int64_t> pictures;  // index into the data set: a picture's augmented copies have the same
  int64_t originals = 0;          // the first so many rows are of the pictures themselves

  std::vector<Array> values;  // what the rows point into
};

// One after another, `rows` of them from `first` on, into `to`.
void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to);

class FeatureJob : protected OpenedRun {
 protected:
  FeatureJob(TrainOptions options, TrainingData data);

  // Computes or reads the features of the training pictures, their augmented copies and the validation pictures.
  // False where a signal asked to stop. Throws as FeatureExtractor does, and Error{kData} where none can be read.
  bool extract();

  void print_setup() const;  // up to what is the mode's own

  FeatureRows train_, val_;  // of extract()

 private:
  bool extract(FeatureExtractor& extractor, const FeatureSource& source, const Dataset& dataset, FeatureRows& to);
};

}  // namespace resflow
