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

nlohmann::ordered_json metrics_json(const Metrics& m, const std::vector<std::string>& classes) {
  const auto averages = [](const Averages& a) {
    return nlohmann::ordered_json{{"precision", a.precision}, {"recall", a.recall}, {"f1", a.f1}};
  };
  nlohmann::ordered_json json;
  json["pictures"] = m.pictures;
  json["right"] = m.right;
  json["accuracy"] = m.accuracy;
  json["accuracy_95"] = {m.accuracy_interval.low, m.accuracy_interval.high};
  json["top5_accuracy"] = m.top5_accuracy;
  json["log_loss"] = m.log_loss;
  json["ece"] = m.ece;
  json["mean_confidence"] = m.mean_confidence;
  json["macro"] = averages(m.macro);
  json["weighted"] = averages(m.weighted);
  json["classes"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < classes.size(); ++i) {
    const ClassMetrics& c = m.classes[i];
    json["classes"].push_back({{"name", classes[i]},
                               {"precision", c.precision},
                               {"recall", c.recall},
                               {"f1", c.f1},
                               {"pictures", c.support},
                               {"said", c.said}});
  }
  // [true class][said class]
  json["confusion"] = nlohmann::ordered_json::array();
  for (size_t truth = 0; truth < classes.size(); ++truth) {
    const auto begin = m.confusion.counts.begin() + static_cast<std::ptrdiff_t>(truth * classes.size());
    json["confusion"].push_back(std::vector<int64_t>(begin, begin + static_cast<std::ptrdiff_t>(classes.size())));
  }
  json["calibration"] = nlohmann::ordered_json::array();
  for (const CalibrationBin& bin : m.calibration)
    json["calibration"].push_back({{"low", bin.low},
                                   {"high", bin.high},
                                   {"pictures", bin.count},
                                   {"confidence", bin.confidence},
                                   {"accuracy", bin.accuracy}});
  return json;
}

}  // namespace resflow
