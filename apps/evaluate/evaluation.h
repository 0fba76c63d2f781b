// A model's answers to labelled photographs, picture by picture: what metrics and reports are made of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "apps/score/predictions.h"
#include "graph/head/metrics.h"
#include "graph/model/trained_model.h"
#include "io/core/stage_times.h"
#include "io/pictures/broken_picture.h"
#include "io/pictures/dataset.h"

namespace resflow {

struct Evaluation {
  std::vector<std::string> classes;  // the model's
  std::vector<Sample> samples;       // those with an answer, in the data set's order
  ProbabilityTable probabilities;    // row i of samples[i]
  std::vector<BrokenPicture> broken;
  double seconds = 0;
  bool stopped = false;  // a signal asked to: not all pictures are in it
  StageTimes times;

  std::vector<int> labels() const;  // of samples
};

struct EvaluationOptions {
  PredictOptions predict;
  std::function<void(int64_t done)> progress;  // may be empty
};

// `samples` have labels of the model's classes (match_classes of apps/data/training_data.h). Files that cannot be read
// are in `broken`, and so are pictures of which the model's output is not finite.
Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const EvaluationOptions& options);

// A row a picture, then the broken ones: path,label,class,probability,label_probability,right,error
std::string predictions_csv(const Evaluation& evaluation);

// For people: accuracy, a line a class (of many the weakest), averages, confusions.
std::string evaluation_text(const Metrics& metrics, const std::vector<std::string>& classes);

}  // namespace resflow
