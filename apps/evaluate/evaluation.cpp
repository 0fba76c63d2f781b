#include "apps/evaluate/evaluation.h"

#include <fmt/format.h>

#include <utility>

#include "apps/data/training_data.h"
#include "io/files/csv.h"

namespace resflow {

std::vector<int> Evaluation::labels() const {
  std::vector<int> all(samples.size());
  std::transform(samples.begin(), samples.end(), all.begin(), [](const Sample& sample) { return sample.label; });
  return all;
}

Evaluation evaluate(const TrainedModel& trained, const std::vector<Sample>& samples, const EvaluationOptions& options) {
  Evaluation evaluation;
  evaluation.classes = trained.classes;
  evaluation.probabilities = ProbabilityTable(trained.classes.size());
  int64_t done = 0;
  const PredictSummary summary = predict_samples(trained, samples, options.predict, [&](const Prediction& p) {
    const Sample& sample = samples[static_cast<size_t>(p.sample)];
    if (p.error.empty()) {
      evaluation.samples.push_back(sample);
      evaluation.probabilities.add(p.probabilities);
    } else {
      evaluation.broken.push_back({.sample = p.sample, .reason = p.error, .name = sample.path});
    }
    ++done;
    if (options.progress) options.progress(done);
  });
  evaluation.seconds = summary.seconds;
  evaluation.stopped = summary.stopped;
  evaluation.times = summary.times;
  return evaluation;
}

std::string predictions_csv(const Evaluation& e) {
  std::string text = "path,label,class,probability,label_probability,right,error\n";
  for (size_t i = 0; i < e.samples.size(); ++i) {
    const std::span<const float> row = e.probabilities.row(i);
    const auto label = static_cast<size_t>(e.samples[i].label), said = static_cast<size_t>(most_probable(row));
    text += fmt::format("{},{},{},{:.6f},{:.6f},{},\n", csv_field(e.samples[i].path), csv_field(e.classes[label]),
                        csv_field(e.classes[said]), row[said], row[label], label == said ? 1 : 0);
  }
  for (const BrokenPicture& b : e.broken) text += fmt::format("{},,,,,,{}\n", csv_field(b.name), csv_field(b.reason));
  return text;
}

}  // namespace resflow
