#include "apps/predictions.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "apps/logits.h"
#include "apps/signals.h"
#include "graph/head_plan.h"
#include "graph/plan.h"
#include "io/error.h"
#include "pipeline/loader.h"

namespace resflow {
namespace {

struct View {
  Corner corner;
  bool mirrored = false;
};

// What is loaded of a picture: for several crops all that they cover.
Preprocessing loaded(Preprocessing preprocessing, Views views) {
  if (views != Views::kTenCrop) return preprocessing;
  if (preprocessing.resize <= preprocessing.crop)
    throw usage_error(
        "--tta=ten-crop: the model resizes pictures to {} and takes {} of it, which leaves one crop, not five; "
        "--tta averages over the mirror image",
        preprocessing.resize, preprocessing.crop);
  preprocessing.crop = preprocessing.resize;
  return preprocessing;
}

std::vector<View> all_views(Views views, int loaded_side, int crop) {
  std::vector<View> all;
  for (const Corner corner : views == Views::kTenCrop ? five_crops(loaded_side, crop) : std::vector<Corner>(1)) {
    all.push_back({corner, false});
    if (views != Views::kOne) all.push_back({corner, true});
  }
  return all;
}

// planes (rows,3,S,S) -> out (rows,3,side,side)
void cut(const Batch& batch, const View& view, int side, float* out) {
  const auto size = static_cast<size_t>(batch.image_size), width = static_cast<size_t>(side);
  const auto planes = static_cast<size_t>(batch.size) * 3;
  for (size_t plane = 0; plane < planes; ++plane) {
    for (size_t y = 0; y < width; ++y, out += width) {
      const float* row = batch.pixels + (plane * size + static_cast<size_t>(view.corner.top) + y) * size +
                         static_cast<size_t>(view.corner.left);
      if (view.mirrored)
        std::reverse_copy(row, row + width, out);
      else
        std::copy_n(row, width, out);
    }
  }
}

// The mean over the views of each row's probabilities; a row is empty where an output is no number.
class Averager {
 public:
  Averager(const TrainedModel& trained, int batch, const std::vector<View>& views, bool features)
      : trained_(trained),
        views_(views),
        plan_(*trained.model, {.batch = batch,
                               .height = side(),
                               .width = side(),
                               .mode = Mode::kEval,
                               .layout = Layout::kAny,
                               .output = features ? Output::kFeatures : Output::kLogits}),
        means_(static_cast<size_t>(batch)) {
    if (features) head_.emplace(*trained.model, batch);
  }

  std::span<const std::vector<double>> run(const Batch& batch, StageTimes& times) {
    const size_t classes = trained_.classes.size(), rows = static_cast<size_t>(batch.size);
    for (std::vector<double>& mean : means_) mean.assign(classes, 0);
    for (const View& view : views_) {
      const float* pixels = batch.pixels;
      if (view.mirrored || batch.image_size != side()) {
        const StageTimer timer(times, "views");
        pixels_.resize(rows * 3 * static_cast<size_t>(side()) * static_cast<size_t>(side()));
        cut(batch, view, side(), pixels_.data());
        pixels = pixels_.data();
      }
      std::span<const float> outputs;
      {
        const StageTimer timer(times, "forward");
        outputs = plan_.forward(pixels, batch.size);
        if (head_) {
          features_ = outputs;
          outputs = head_->forward(features_.data(), batch.size);
        }
      }
      for (size_t row = 0; row < rows; ++row) add(outputs.subspan(row * classes, classes), means_[row]);
    }
    return std::span(means_).first(rows);
  }

  // Of a row of the last run; nothing where they were not asked for.
  std::span<const float> features(size_t row) const {
    const auto columns = static_cast<size_t>(trained_.model->feature_count());
    return head_ ? features_.subspan(row * columns, columns) : std::span<const float>();
  }

 private:
  int side() const { return trained_.preprocessing.crop; }

  void add(std::span<const float> outputs, std::vector<double>& mean) const {
    if (mean.empty()) return;
    if (!std::all_of(outputs.begin(), outputs.end(), [](float x) { return std::isfinite(x); })) {
      mean.clear();
      return;
    }
    const std::vector<double> p = probabilities(outputs, trained_.head);
    for (size_t k = 0; k < p.size(); ++k) mean[k] += p[k] / static_cast<double>(views_.size());
  }

  const TrainedModel& trained_;
  const std::vector<View>& views_;
  Plan plan_;
  std::optional<HeadPlan> head_;
  std::span<const float> features_;
  std::vector<std::vector<double>> means_;
  std::vector<float> pixels_;  // of a view
};

}  // namespace

std::vector<Corner> five_crops(int size, int crop) {
  const int far = size - crop;
  // Python's round: half to even.
  const int middle = far % 4 == 3 ? far / 2 + 1 : far / 2;
  return {{0, 0}, {0, far}, {far, 0}, {far, far}, {middle, middle}};
}

PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, const std::function<void(const Prediction&)>& take) {
  PredictSummary summary;
  if (samples.empty()) return summary;
  const Preprocessing preprocessing = loaded(trained.preprocessing, options.views);
  const Dataset dataset = {.classes = trained.classes, .samples = samples};
  const auto asked = static_cast<size_t>(options.batch);
  const int batch_size = static_cast<int>(options.whole_plan ? asked : std::min(asked, samples.size()));
  const std::vector<View> views = all_views(options.views, preprocessing.crop, trained.preprocessing.crop);
  Averager averager(trained, batch_size, views, options.features);
  Loader loader(dataset, Recipe::eval(preprocessing),
                {.batch = batch_size,
                 .threads = options.threads,
                 .shuffle = false,
                 .on_error = OnError::kSkip,
                 .exif = options.exif});

  const auto start = std::chrono::steady_clock::now();
  const EpochReport report = loader.run(0, 0, [&](const Batch& batch) {
    std::span<const std::vector<double>> means;
    if (batch.size > 0) means = averager.run(batch, summary.times);
    // Whole and broken ones are each in order; the predictions are both, merged.
    size_t whole = 0, broken = 0;
    while (whole < batch.samples.size() || broken < batch.broken.size()) {
      const bool take_broken = whole == batch.samples.size() ||
                               (broken < batch.broken.size() && batch.broken[broken].sample < batch.samples[whole]);
      Prediction p;
      if (take_broken) {
        p.sample = batch.broken[broken].sample;
        p.error = batch.broken[broken].reason;
        ++broken;
      } else {
        p.sample = batch.samples[whole];
        p.probabilities = means[whole];
        if (means[whole].empty())
          p.error = "the model's output is not finite: was it trained with too high a learning rate?";
        else
          p.features = averager.features(whole);
        ++whole;
      }
      ++summary.files;
      summary.failed += p.error.empty() ? 0 : 1;
      take(p);
    }
    return !stop_requested();
  });
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  summary.stopped = report.stopped && summary.files < static_cast<int64_t>(samples.size());
  summary.times.add("wait", report.wait_seconds, report.batches);
  return summary;
}

}  // namespace resflow
