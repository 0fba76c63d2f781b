#include "apps/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "apps/logits.h"
#include "apps/signals.h"
#include "graph/plan.h"
#include "io/csv.h"
#include "pipeline/loader.h"

namespace resflow {
namespace {

ScoreRow score_row(const std::string& path, std::span<const float> logits, const std::vector<std::string>& classes,
                   int top) {
  ScoreRow row = {.path = path, .top = {}, .error = {}};
  if (!std::all_of(logits.begin(), logits.end(), [](float x) { return std::isfinite(x); })) {
    row.error = "the model's output is not finite: was it trained with too high a learning rate?";
    return row;
  }
  const std::vector<double> p = softmax(logits);
  for (const int k : top_classes(p, top))
    row.top.push_back({classes[static_cast<size_t>(k)], p[static_cast<size_t>(k)]});
  return row;
}

}  // namespace

ScoreSummary score_samples(const TrainedModel& trained, const std::vector<Sample>& samples, const ScoreLimits& limits,
                           const std::function<void(const ScoreRow&)>& row) {
  const Dataset dataset = {.classes = trained.classes, .samples = samples};
  const int batch_size = static_cast<int>(std::min<size_t>(static_cast<size_t>(limits.batch), samples.size()));
  const int side = trained.preprocessing.crop;
  Plan plan(*trained.model,
            {.batch = batch_size, .height = side, .width = side, .mode = Mode::kEval, .layout = Layout::kAny});
  Loader loader(dataset, Recipe::eval(trained.preprocessing),
                {.batch = batch_size,
                 .threads = limits.threads,
                 .shuffle = false,
                 .on_error = OnError::kSkip,
                 .exif = limits.exif});

  ScoreSummary summary;
  const auto start = std::chrono::steady_clock::now();
  const EpochReport report = loader.run(0, 0, [&](const Batch& batch) {
    const size_t classes = trained.classes.size();
    std::span<const float> logits;
    if (batch.size > 0) logits = plan.forward(batch.pixels, batch.size);
    // Scored and broken ones are each in order; the rows are both, merged.
    size_t scored = 0, broken = 0;
    while (scored < batch.samples.size() || broken < batch.broken.size()) {
      const bool take_broken = scored == batch.samples.size() ||
                               (broken < batch.broken.size() && batch.broken[broken].sample < batch.samples[scored]);
      ScoreRow r;
      if (take_broken) {
        r.path = samples[static_cast<size_t>(batch.broken[broken].sample)].path;
        r.error = batch.broken[broken].reason;
        ++broken;
      } else {
        r = score_row(samples[static_cast<size_t>(batch.samples[scored])].path,
                      logits.subspan(scored * classes, classes), trained.classes, limits.top);
        ++scored;
      }
      ++summary.files;
      summary.failed += r.error.empty() ? 0 : 1;
      row(r);
    }
    return !stop_requested();
  });
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  summary.stopped = report.stopped && summary.files < static_cast<int64_t>(samples.size());
  return summary;
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
