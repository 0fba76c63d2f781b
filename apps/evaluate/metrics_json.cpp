#include "apps/evaluate/metrics_json.h"

#include <cstddef>
#include <cstdint>

namespace resflow {

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
  if (classes.size() <= kMatrixClasses) {
    std::vector<std::vector<int64_t>> counts(classes.size(), std::vector<int64_t>(classes.size()));
    for (const Confusion& pair : m.confusion.pairs)
      counts[static_cast<size_t>(pair.truth)][static_cast<size_t>(pair.said)] = pair.count;
    json["confusion"] = counts;
  }
  json["confusion_pairs"] = nlohmann::ordered_json::array();
  for (const Confusion& pair : m.confusion.pairs)
    json["confusion_pairs"].push_back({pair.truth, pair.said, pair.count});
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
