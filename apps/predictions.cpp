#include "apps/predictions.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "apps/logits.h"
#include "apps/signals.h"
#include "graph/plan.h"
#include "io/broken_reason.h"
#include "io/error.h"
#include "pipeline/stream_loader.h"

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

// The mean over the views of each row's probabilities, which are empty where an output is no number, and features.
class Averager {
 public:
  Averager(const TrainedModel& trained, const PredictOptions& options, int batch, const std::vector<View>& views)
      : trained_(trained),
        views_(views),
        plan_(*trained.model, {.batch = batch,
                               .height = side(),
                               .width = side(),
                               .mode = Mode::kEval,
                               .layout = Layout::kAny,
                               .output = options.features ? Output::kLogitsAndFeatures : Output::kLogits,
                               .precision = options.precision}),
        means_(static_cast<size_t>(batch)) {}

  void run(const Batch& batch, StageTimes& times) {
    const size_t classes = trained_.classes.size(), rows = static_cast<size_t>(batch.size);
    for (std::vector<double>& mean : means_) mean.assign(classes, 0);
    if (keeps_features()) features_.assign(rows * feature_count(), 0.0F);
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
      }
      for (size_t row = 0; row < rows; ++row) add(outputs.subspan(row * classes, classes), means_[row]);
      if (keeps_features()) add_features(plan_.features());
    }
  }

  // Of a row of the last run.
  const std::vector<double>& mean(size_t row) const { return means_[row]; }
  std::span<const float> features(size_t row) const {
    if (!keeps_features()) return {};
    return std::span(features_).subspan(row * feature_count(), feature_count());
  }

 private:
  int side() const { return trained_.preprocessing.crop; }
  bool keeps_features() const { return plan_.options().output == Output::kLogitsAndFeatures; }
  size_t feature_count() const { return static_cast<size_t>(trained_.model->feature_count()); }

  void add(std::span<const float> outputs, std::vector<double>& mean) const {
    if (mean.empty()) return;
    if (!std::all_of(outputs.begin(), outputs.end(), [](float x) { return std::isfinite(x); })) {
      mean.clear();
      return;
    }
    const std::vector<double> p = probabilities(outputs, trained_.head);
    for (size_t k = 0; k < p.size(); ++k) mean[k] += p[k] / static_cast<double>(views_.size());
  }

  void add_features(std::span<const float> features) {
    const auto views = static_cast<float>(views_.size());
    for (size_t i = 0; i < features_.size(); ++i) features_[i] += features[i] / views;
  }

  const TrainedModel& trained_;
  const std::vector<View>& views_;
  Plan plan_;
  std::vector<std::vector<double>> means_;
  std::vector<float> features_;  // [rows, feature_count]
  std::vector<float> pixels_;    // of a view
};

// Files that are listed already. What is packed is read here, in the pack's order.
class SampleSource : public PictureSource {
 public:
  explicit SampleSource(const std::vector<Sample>& samples) : samples_(samples) {}

  bool next(Picture& picture) override {
    if (next_ == samples_.size()) return false;
    const Sample& sample = samples_[next_++];
    picture.name = picture.path = sample.path;
    picture.error.clear();
    if (sample.pack) unpack(sample, picture);
    return true;
  }

  std::optional<int64_t> count() const override { return static_cast<int64_t>(samples_.size()); }

 private:
  void unpack(const Sample& sample, Picture& picture) {
    picture.path.clear();
    try {
      const std::span<const uint8_t> bytes = read_sample(sample, buffer_);
      picture.bytes.assign(bytes.begin(), bytes.end());
    } catch (const Error& error) {
      picture.error = broken_reason(error, sample.path);
    }
  }

  const std::vector<Sample>& samples_;
  size_t next_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace

std::vector<Corner> five_crops(int size, int crop) {
  const int far = size - crop;
  // Python's round: half to even.
  const int middle = far % 4 == 3 ? far / 2 + 1 : far / 2;
  return {{0, 0}, {0, far}, {far, 0}, {far, far}, {middle, middle}};
}

PredictSummary predict_stream(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                              const std::function<void(const Prediction&)>& take) {
  PredictSummary summary;
  const Preprocessing preprocessing = loaded(trained.preprocessing, options.views);
  const std::vector<View> views = all_views(options.views, preprocessing.crop, trained.preprocessing.crop);
  const std::optional<int64_t> count = source.count();
  if (count == 0) return summary;
  const int64_t most = options.whole_plan ? options.batch : count.value_or(options.batch);
  const int batch_size = static_cast<int>(std::min<int64_t>(options.batch, most));
  std::optional<Averager> averager;
  const auto plan_for = [&](int batch) { averager.emplace(trained, options, batch, views); };
  if (count || options.whole_plan) plan_for(batch_size);
  StreamLoader loader(source, Recipe::eval(preprocessing),
                      {.batch = batch_size,
                       .threads = options.threads,
                       .exif = options.exif || preprocessing.exif,
                       .decode = options.decode});

  const auto start = std::chrono::steady_clock::now();
  const EpochReport report = loader.run([&](const Batch& batch) {
    const size_t rows = batch.samples.size() + batch.broken.size();
    if (batch.size > 0) {
      // Only the last batch may be small. Where no other one needs a plan, so is the plan.
      if (!averager) plan_for(static_cast<int>(rows));
      averager->run(batch, summary.times);
    }
    // Whole and broken ones are each in order; the predictions are both, merged.
    size_t whole = 0, broken = 0;
    while (whole + broken < rows) {
      const bool take_broken = whole == batch.samples.size() ||
                               (broken < batch.broken.size() && batch.broken[broken].sample < batch.samples[whole]);
      Prediction p;
      if (take_broken) {
        p.sample = batch.broken[broken].sample;
        p.name = batch.broken[broken].name;
        p.error = batch.broken[broken].reason;
        ++broken;
      } else {
        p.sample = batch.samples[whole];
        p.name = batch.names[whole];
        if (averager->mean(whole).empty()) {
          p.error = "the model's output is not finite: was it trained with too high a learning rate?";
        } else {
          p.probabilities = averager->mean(whole);
          p.features = averager->features(whole);
        }
        ++whole;
      }
      ++summary.files;
      summary.failed += p.error.empty() ? 0 : 1;
      take(p);
    }
    return !stop_requested();
  });
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // A list that is waited for ends when a signal comes: nobody knows what more it would have had.
  summary.stopped = count ? report.stopped && summary.files < *count : stop_requested();
  summary.times.add("wait", report.wait_seconds, report.batches);
  return summary;
}

PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, const std::function<void(const Prediction&)>& take) {
  SampleSource source(samples);
  return predict_stream(trained, source, options, take);
}

}  // namespace resflow
