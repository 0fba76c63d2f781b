// A model's answers to labelled photographs, picture by picture: what metrics and reports are made of.
#pragma once

#include <cstdint>
#include <span>
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
  std::vector<std::string> classes;  // the model's
  std::span<const Sample> samples;   // all that were asked for: evaluate()'s, which outlive this
  // The answers, in the order of `samples`, and which of them each belongs to: 28 bytes a picture, however many
  // classes.
  std::vector<Answer> answers;
  std::vector<int64_t> answered;
  std::vector<BrokenPicture> broken;  // those without an answer, each with its path as its name
  int64_t truncated = 0;              // of those with one: they end early, and were taken all the same
  double seconds = 0;
  bool stopped = false;  // the listener asked to stop, and not all pictures are in it
  StageTimes times;

  const Sample& sample(size_t answer) const { return samples[static_cast<size_t>(answered[answer])]; }
  Metrics metrics() const { return classification_metrics(answers, classes.size()); }
};

// `samples` have labels of the model's classes (match_classes of apps/data/training_data.h). Files that cannot be read
// are in `broken`, and so are pictures for which the model's output is not finite. The listener hears the progress
// under the name `label`.
Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const PredictOptions& options,
                    Listener& listener, const std::string& label = "evaluating");

}  // namespace resflow
