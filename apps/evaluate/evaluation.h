// A model's answers to labelled photographs, picture by picture: what metrics and reports are made of.
#pragma once

#include <string>
#include <vector>

#include "apps/score/predictions.h"
#include "graph/head/metrics.h"
#include "graph/model/trained_model.h"
#include "io/core/listener.h"
#include "io/core/stage_times.h"
#include "io/pictures/broken_picture.h"
#include "io/pictures/dataset.h"

namespace resflow {

struct Evaluation {
  std::vector<std::string> classes;   // the model's
  std::vector<Sample> samples;        // those with an answer, in the data set's order
  ProbabilityTable probabilities;     // row i is the answer to samples[i]
  std::vector<BrokenPicture> broken;  // those without, each with its path as its name
  int64_t truncated = 0;              // of the samples: they end early, and were taken all the same
  double seconds = 0;
  bool stopped = false;  // the listener asked to stop, and not all pictures are in it
  StageTimes times;

  std::vector<int> labels() const;  // of samples
};

// `samples` have labels of the model's classes (match_classes of apps/data/training_data.h). Files that cannot be read
// are in `broken`, and so are pictures for which the model's output is not finite. The listener hears the progress
// under the name `label`.
Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const PredictOptions& options,
                    Listener& listener, const std::string& label = "evaluating");

}  // namespace resflow
