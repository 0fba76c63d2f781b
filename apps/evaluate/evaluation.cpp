#include "apps/evaluate/evaluation.h"

namespace resflow {

Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const PredictOptions& options,
                    Listener& listener, const std::string& label) {
  Evaluation evaluation;
  evaluation.classes = trained.classes;
  evaluation.samples = samples;
  evaluation.answers.reserve(samples.size());
  evaluation.answered.reserve(samples.size());
  Progress progress(listener, {.label = label, .total = static_cast<int64_t>(samples.size())});
  int64_t done = 0;
  const PredictSummary summary = predict_samples(trained, samples, options, listener, [&](const ScoredPicture& p) {
    const Sample& sample = samples[static_cast<size_t>(p.sample)];
    if (p.error.empty()) {
      evaluation.answers.push_back(answer_of(p.probabilities, sample.label));
      evaluation.answered.push_back(p.sample);
    } else {
      evaluation.broken.push_back({.sample = p.sample, .reason = std::string(p.error), .name = sample.path});
    }
    progress.update(++done);
  });
  evaluation.truncated = summary.truncated;
  evaluation.seconds = summary.seconds;
  evaluation.stopped = summary.stopped;
  evaluation.times = summary.times;
  return evaluation;
}

}  // namespace resflow
