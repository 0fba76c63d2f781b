#include "apps/scoring.h"

#include <fmt/format.h>

#include "apps/logits.h"
#include "apps/predictions.h"
#include "io/csv.h"

namespace resflow {
namespace {

ScoreRow score_row(const Prediction& prediction, const std::vector<std::string>& classes, int top) {
  ScoreRow row = {.path = std::string(prediction.name), .top = {}, .error = prediction.error};
  if (!row.error.empty()) return row;
  for (const int k : top_classes(prediction.probabilities, top))
    row.top.push_back({classes[static_cast<size_t>(k)], prediction.probabilities[static_cast<size_t>(k)]});
  return row;
}

}  // namespace

ScoreSummary score_pictures(const TrainedModel& trained, PictureSource& source, const ScoreLimits& limits,
                            const std::function<void(const ScoreRow&)>& row) {
  const PredictSummary summary = predict_stream(
      trained, source,
      {.batch = limits.batch, .threads = limits.threads, .precision = limits.precision, .exif = limits.exif},
      [&](const Prediction& prediction) { row(score_row(prediction, trained.classes, limits.top)); });
  return {summary.files, summary.failed, summary.seconds, summary.stopped};
}

std::string score_csv_header(int top) {
  std::string header = "path,class,probability";
  for (int k = 2; k <= top; ++k) header += fmt::format(",class_{},probability_{}", k, k);
  return header + ",error\n";
}

std::string score_csv_row(const ScoreRow& row, int top) {
  std::string text = csv_field(row.path);
  for (size_t k = 0; k < static_cast<size_t>(top); ++k) {
    if (k < row.top.size())
      text += fmt::format(",{},{:.6f}", csv_field(row.top[k].name), row.top[k].probability);
    else
      text += ",,";
  }
  return text + "," + csv_field(row.error) + "\n";
}

}  // namespace resflow
