#include "apps/score/predictions.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "graph/head/probabilities.h"
#include "graph/plan/executors.h"
#include "io/core/broken_reason.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "pipeline/stream_loader.h"

namespace resflow {
namespace {

struct View {
  Corner corner;
  bool mirrored = false;
};

// How a picture is loaded: where several crops are cut of it, all that they cover.
Preprocessing loaded(Preprocessing preprocessing, Views views) {
  if (views != Views::kTenCrop) return preprocessing;
  if (preprocessing.resize <= preprocessing.crop)
    throw usage_error(
        "{}=ten-crop: the model resizes pictures to {} and takes {} of it, which leaves one crop, not five; "
        "{} averages over the mirror image",
        setting("tta"), preprocessing.resize, preprocessing.crop, setting("tta"));
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

// What the network says of a batch. Its memory is used again for later batches.
struct Outcome {
  std::vector<std::vector<double>> means;  // [rows] of the probabilities over the views; empty where one is no number
  std::vector<float> features;             // [rows, feature_count], the same mean
  std::vector<float> view;                 // its pixels
  StageTimes times;
};

// Computes a batch's outcome by whichever plan it is given. It does not change, so several threads may use it at once.
class Averager {
 public:
  Averager(const TrainedModel& trained, const PredictOptions& options, std::vector<View> views)
      : trained_(trained), views_(std::move(views)), options_(options) {}

  PlanOptions plan_options(int batch) const {
    return {.batch = batch,
            .height = side(),
            .width = side(),
            .mode = Mode::kEval,
            .layout = Layout::kAny,
            .output = options_.features ? Output::kLogitsAndFeatures : Output::kLogits,
            .precision = options_.precision};
  }

  void run(Plan& plan, const Batch& batch, Outcome& out) const {
    const size_t classes = trained_.classes.size(), rows = static_cast<size_t>(batch.size);
    out.means.resize(rows);
    for (std::vector<double>& mean : out.means) mean.assign(classes, 0);
    if (options_.features) out.features.assign(rows * feature_count(), 0.0F);
    for (const View& view : views_) {
      const float* pixels = batch.pixels;
      if (view.mirrored || batch.image_size != side()) {
        const StageTimer timer(out.times, "views");
        out.view.resize(rows * 3 * static_cast<size_t>(side()) * static_cast<size_t>(side()));
        cut(batch, view, side(), out.view.data());
        pixels = out.view.data();
      }
      std::span<const float> outputs;
      {
        const StageTimer timer(out.times, "forward");
        outputs = plan.forward(pixels, batch.size);
      }
      for (size_t row = 0; row < rows; ++row) add(outputs.subspan(row * classes, classes), out.means[row]);
      if (options_.features) add_features(plan.features(), out.features);
    }
  }

  std::span<const float> features(const Outcome& out, size_t row) const {
    if (!options_.features) return {};
    return std::span(out.features).subspan(row * feature_count(), feature_count());
  }

 private:
  int side() const { return trained_.preprocessing.crop; }
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

  void add_features(std::span<const float> features, std::vector<float>& means) const {
    const auto views = static_cast<float>(views_.size());
    for (size_t i = 0; i < means.size(); ++i) means[i] += features[i] / views;
  }

  const TrainedModel& trained_;
  const std::vector<View> views_;
  const PredictOptions& options_;
};

// Takes batches, and gives their scored pictures in the same order. As many batches are under way as the executors can
// use.
class Predictor {
 public:
  Predictor(const TrainedModel& trained, const PredictOptions& options, std::vector<View> views, StreamLoader& loader,
            const TakePicture& take)
      : trained_(trained),
        options_(options),
        averager_(trained, options, std::move(views)),
        loader_(loader),
        take_(take) {}

  // Plans the network for batches of `batch` pictures. `pictures` is how many there are in all, if that is known.
  void plan(int batch, std::optional<int64_t> pictures) {
    int count = std::max(options_.executors, 1);
    const int threads = threads_of_each(options_.threads, count);
    if (pictures) count = static_cast<int>(std::min<int64_t>(count, (*pictures + batch - 1) / batch));
    PlanOptions plan = averager_.plan_options(batch);
    // Each executor has as much, and the loader has several batches of pixels under way.
    if (options_.planned)
      plan.planned = [&, batch, count](size_t bytes) {
        const auto side = static_cast<size_t>(trained_.preprocessing.crop);
        const size_t pixels = sizeof(float) * 3 * side * side * static_cast<size_t>(batch * StreamOptions().slots);
        options_.planned(static_cast<int64_t>(bytes * static_cast<size_t>(count) + pixels), batch);
      };
    executors_ = std::make_unique<Executors>(*trained_.model, plan, count, threads);
    hold();
    if (options_.executors != kChooseExecutors) return;
    const int64_t trial = trial_batches(batch, options_.threads) * batch;
    // With few pictures the faster way would not make up for the time that the measurement takes.
    if (!pictures || options_.rows_before + *pictures >= 2 * trial) trial_at_ = trial;
  }
  bool planned() const { return executors_ != nullptr; }

  void consume(const Batch& batch, PredictSummary& summary) {
    failed_ = true;
    if (batch.size > 0 && trial_at_ == options_.rows_before + rows_) choose(batch);
    rows_ += rows_of(batch);
    begin(batch);
    while (under_way_.size() > held_ || oldest_is_done()) take_oldest(summary);
    failed_ = false;
  }

  // Takes what is still under way.
  void finish(PredictSummary& summary) {
    while (!under_way_.empty() && !failed_) {
      failed_ = true;
      take_oldest(summary);
      failed_ = false;
    }
  }

 private:
  struct UnderWay {
    const Batch* batch = nullptr;
    Outcome outcome;
  };

  static int64_t rows_of(const Batch& batch) {
    return static_cast<int64_t>(batch.samples.size() + batch.broken.size());
  }

  // One executor alone is done with a batch as soon as it has been given to it. Several executors have batches in
  // store, for the moments in which this thread is busy.
  void hold() {
    const int count = executors_->count();
    held_ = count == 1 ? 0 : static_cast<size_t>(count + (count + 1) / 2);
    loader_.hold(static_cast<int>(held_));
  }

  // Then its rows need not wait for more batches, which may be long in coming.
  bool oldest_is_done() const {
    return !under_way_.empty() && (under_way_.front()->batch->size == 0 || executors_->oldest_is_done());
  }

  void choose(const Batch& batch) {
    trial_at_ = -1;
    const PlanMemory memory = executors_->memory();
    const size_t pixels = sizeof(float) * 3 * static_cast<size_t>(batch.image_size) *
                          static_cast<size_t>(batch.image_size) * static_cast<size_t>(batch.capacity);
    const std::vector<int> candidates = executor_candidates(options_.threads, memory.activations + pixels + pixels / 2);
    if (candidates.empty()) return;
    const Executors::Work work = [&](Plan& plan) {
      Outcome outcome;
      averager_.run(plan, batch, outcome);
    };
    ExecutorChoice choice =
        choose_executors(std::move(executors_), *trained_.model, candidates, options_.threads, work, batch.size);
    executors_ = std::move(choice.executors);
    hold();
    if (options_.chosen) options_.chosen(choice.speeds, choice.chosen);
  }

  void begin(const Batch& batch) {
    std::unique_ptr<UnderWay> one;
    if (idle_.empty()) {
      one = std::make_unique<UnderWay>();
    } else {
      one = std::move(idle_.back());
      idle_.pop_back();
    }
    one->batch = &batch;
    UnderWay& given = *one;
    under_way_.push_back(std::move(one));
    if (batch.size > 0)
      executors_->give([this, &given](Plan& plan) { averager_.run(plan, *given.batch, given.outcome); });
  }

  void take_oldest(PredictSummary& summary) {
    std::unique_ptr<UnderWay> one = std::move(under_way_.front());
    const Batch& batch = *one->batch;
    if (batch.size > 0) executors_->take();
    under_way_.pop_front();
    summary.times += std::exchange(one->outcome.times, {});
    // Whole and broken pictures are each in order; they are taken in the order of both together.
    const auto rows = static_cast<size_t>(rows_of(batch));
    size_t whole = 0, broken = 0;
    while (whole + broken < rows) {
      const bool take_broken = whole == batch.samples.size() ||
                               (broken < batch.broken.size() && batch.broken[broken].sample < batch.samples[whole]);
      ScoredPicture p;
      if (take_broken) {
        const BrokenPicture& picture = batch.broken[broken];
        p = {.name = picture.name,
             .error = picture.reason,
             .sample = picture.sample,
             .place = picture.place,
             .unread = picture.unread};
        ++broken;
      } else {
        p = {.name = batch.names[whole], .sample = batch.samples[whole], .place = batch.places[whole]};
        if (one->outcome.means[whole].empty()) {
          p.error = "the model's output is not finite: was it trained with too high a learning rate?";
        } else {
          p.probabilities = one->outcome.means[whole];
          p.features = averager_.features(one->outcome, whole);
        }
        ++whole;
      }
      ++summary.files;
      summary.failed += p.error.empty() ? 0 : 1;
      take_(p);
    }
    idle_.push_back(std::move(one));
  }

  const TrainedModel& trained_;
  const PredictOptions& options_;
  const Averager averager_;
  StreamLoader& loader_;
  const TakePicture& take_;
  std::deque<std::unique_ptr<UnderWay>> under_way_;  // in order
  std::vector<std::unique_ptr<UnderWay>> idle_;
  size_t held_ = 0;  // batches that may be under way when consume returns
  int64_t rows_ = 0, trial_at_ = -1;
  bool failed_ = false;                   // something has thrown, and nobody takes what is under way
  std::unique_ptr<Executors> executors_;  // the last member, so that its threads end before what they use
};

// Files that are listed already. Those in a pack are read here, one after another, as a pack is best read.
class SampleSource : public PictureSource {
 public:
  explicit SampleSource(const std::vector<Sample>& samples) : samples_(samples) {}

  bool next(Picture& picture) override {
    if (next_ == samples_.size()) return false;
    const Sample& sample = samples_[next_++];
    picture.name = picture.path = sample.path;
    picture.error.clear();
    picture.unread = false;
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
      give_back_large(buffer_);
    } catch (const std::exception&) {
      PictureFailure failure = picture_failure(std::current_exception(), sample.path);
      picture.error = std::move(failure.reason);
      picture.unread = failure.unread;
    }
  }

  const std::vector<Sample>& samples_;
  size_t next_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace

int64_t trial_batches(int batch, int threads) {
  constexpr int64_t kPictures = 2048, kRounds = 64;
  return std::max((kPictures + batch - 1) / batch, kRounds * threads);
}

std::vector<Corner> five_crops(int size, int crop) {
  const int far = size - crop;
  // Python's round: half to even.
  const int middle = far % 4 == 3 ? far / 2 + 1 : far / 2;
  return {{0, 0}, {0, far}, {far, 0}, {far, far}, {middle, middle}};
}

PredictSummary predict_stream(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                              Listener& listener, const TakePicture& take) {
  // Two batches may wait for a slow picture before the others have fewer slots than they would have in order.
  constexpr int kUnorderedSlots = 5;
  PredictSummary summary;
  const Preprocessing preprocessing = loaded(trained.preprocessing, options.views);
  const std::vector<View> views = all_views(options.views, preprocessing.crop, trained.preprocessing.crop);
  const std::optional<int64_t> count = source.count();
  if (count == 0) return summary;
  const int64_t most = options.whole_plan ? options.batch : count.value_or(options.batch);
  const int batch_size = static_cast<int>(std::min<int64_t>(options.batch, most));
  ReadingOptions reading = options.reading;
  if (!reading.stop) reading.stop = [&listener] { return listener.stop(); };
  StreamLoader loader(source, Recipe::eval(preprocessing),
                      {.batch = batch_size,
                       .threads = options.threads,
                       .slots = options.unordered ? kUnorderedSlots : StreamOptions().slots,
                       .exif = options.exif || preprocessing.exif,
                       .decode = options.decode,
                       .accept = {.max_pixels = options.accept.max_pixels,
                                  .truncated = options.accept.truncated || preprocessing.take_truncated,
                                  .scale_grey16 = options.accept.scale_grey16 || preprocessing.scale_grey16},
                       .unordered = options.unordered,
                       .reading = reading});
  Predictor predictor(trained, options, views, loader, take);
  if (count || options.whole_plan) predictor.plan(batch_size, count);

  const Stopwatch watch;
  EpochReport report;
  try {
    report = loader.run([&](const Batch& batch) {
      if (batch.size > 0 && !predictor.planned()) {
        // Only the last batch may be small. If it is the first one, too, the plan is made as small as it.
        const auto rows = static_cast<int>(batch.samples.size() + batch.broken.size());
        predictor.plan(rows, rows < batch.capacity ? std::optional<int64_t>(rows) : std::nullopt);
      }
      predictor.consume(batch, summary);
      return !listener.stop();
    });
  } catch (...) {
    predictor.finish(summary);
    throw;
  }
  predictor.finish(summary);
  summary.seconds = watch.seconds();
  // A list on a pipe ends when the job is asked to stop while it waits for it: nobody knows what more it would have
  // had.
  summary.stopped = count ? report.stopped && summary.files < *count : listener.stop();
  summary.truncated = report.truncated;
  summary.times.add("wait", report.wait_seconds, report.batches);
  return summary;
}

PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, Listener& listener, const TakePicture& take) {
  SampleSource source(samples);
  return predict_stream(trained, source, options, listener, take);
}

}  // namespace resflow
