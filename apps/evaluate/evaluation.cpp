#include "apps/evaluate/evaluation.h"

#include <algorithm>

namespace resflow {

std::vector<int> Evaluation::labels() const {
  std::vector<int> all(samples.size());
  std::transform(samples.begin(), samples.end(), all.begin(), [](const Sample& sample) { return sample.label; });
  return all;
}

Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const PredictOptions& options,
                    Listener& listener, const std::string& label) {
  Evaluation evaluation;
  evaluation.classes = trained.classes;
  evaluation.probabilities = ProbabilityTable(trained.classes.size());
  Progress progress(listener, {.label = label, .total = static_cast<int64_t>(samples.size())});
  int64_t done = 0;
  const PredictSummary summary = predict_samples(trained, samples, options, listener, [&](const ScoredPicture& p) {
    const Sample& sample = samples[static_cast<size_t>(p.sample)];
    if (p.error.empty()) {
      evaluation.samples.push_back(sample);
      evaluation.probabilities.add(p.probabilities);
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
