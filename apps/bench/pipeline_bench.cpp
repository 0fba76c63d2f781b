#include "apps/bench/pipeline_bench.h"

#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "apps/bench/pipeline_stages.h"
#include "apps/host/signals.h"
#include "io/core/stopwatch.h"
#include "ops/machine_peak.h"
#include "pipeline/loader.h"

namespace resflow {
namespace {

constexpr double kWarmupSeconds = 0.3;
constexpr size_t kLongEpoch = 1 << 16;  // samples: an epoch's start and end must not count

// The set again and again, so that epochs are long. Each copy draws its own crops.
Dataset repeated(const Dataset& set, size_t batch) {
  Dataset many = {.classes = set.classes, .samples = {}};
  const size_t wanted = std::max(kLongEpoch, 4 * batch);
  while (many.samples.size() < wanted) many.samples.insert(many.samples.end(), set.samples.begin(), set.samples.end());
  return many;
}

// What a loader's runs add up to.
struct LoaderSums {
  StageSeconds stages;
  double seconds = 0, wait = 0, model = 0;
  int64_t bytes = 0;
};

// Everything of one number of threads.
class Setup {
 public:
  Setup(const BenchPictures& pictures, const Dataset& many, const PipelineBenchOptions& options, int threads)
      : threads_(threads),
        batch_(static_cast<size_t>(options.network.batch)),
        stages_(pictures, threads, static_cast<int>(options.network.batch)),
        network_(options.network, threads),
        gemm_(network_.compute()),
        loader_(many, pictures.recipe,
                {.batch = static_cast<int>(options.network.batch),
                 .threads = threads,
                 .seed = pictures.seed,
                 .shuffle = true,
                 .drop_last = true,
                 .on_error = OnError::kStop}) {
    for (const Stage stage : kStages) stages_.check(stage);
    // A batch of real pictures for the model alone.
    loader_.run(0, 0, [&](const Batch& batch) {
      const size_t side = static_cast<size_t>(batch.image_size), row = 3 * side * side;
      pixels_.assign(batch.pixels, batch.pixels + static_cast<size_t>(batch.size) * row);
      labels_ = batch.labels;
      return false;
    });
    network_.check(pixels_.data(), labels_);
  }

  int threads() const { return threads_; }
  double operations_a_picture() const { return network_.operations_a_picture(); }

  double stage(Stage stage, double seconds) { return stages_.run(stage, seconds); }
  double gemm(double seconds) { return gemm_.run(seconds); }

  double model(double seconds) {
    const Stopwatch watch;
    int64_t images = 0;
    do {
      network_.step(pixels_.data(), labels_);
      images += static_cast<int64_t>(labels_.size());
    } while (watch.seconds() < seconds);
    return static_cast<double>(images) / watch.seconds();
  }

  double loader(double seconds, LoaderSums* sums) { return stream(seconds, false, sums); }
  double together(double seconds, LoaderSums* sums) { return stream(seconds, true, sums); }

 private:
  // Counts from the end of one batch to the end of a later one, because about as much work is under way at either end.
  double stream(double seconds, bool model, LoaderSums* sums) {
    int64_t images = 0;
    double counted = 0, in_model = 0;
    const Stopwatch whole;
    while (counted < seconds || images == 0) {
      Stopwatch since_first;
      double last = 0;
      const EpochReport report = loader_.run(++epoch_, 0, [&](const Batch& batch) {
        if (model) {
          const Stopwatch watch;
          network_.step(batch.pixels, batch.labels);
          in_model += watch.seconds();
        }
        if (batch.number == 0) {
          since_first.restart();
          return true;
        }
        last = since_first.seconds();
        images += batch.size;
        return counted + last < seconds;
      });
      counted += last;
      if (sums == nullptr) continue;
      sums->stages += report.seconds;
      sums->wait += report.wait_seconds;
      sums->bytes += report.bytes_read;
    }
    if (sums != nullptr) {
      sums->model += in_model;
      sums->seconds += whole.seconds();
    }
    return static_cast<double>(images) / counted;
  }

  int threads_;
  size_t batch_;
  StageRunner stages_;
  BenchNetwork network_;
  GemmPeak gemm_;
  Loader loader_;
  uint64_t epoch_ = 0;
  std::vector<float> pixels_;
  std::vector<int32_t> labels_;
};

LoaderShares shares_of(const LoaderSums& sums, int threads) {
  const double all = sums.seconds * threads;
  StageSeconds stages;
  for (const Stage stage : kStages) stages[stage] = sums.stages[stage] / all;
  const double busy = stages.sum() + sums.model / sums.seconds;
  return {.stages = stages,
          .model = sums.model / sums.seconds,
          .wait = sums.wait / sums.seconds,
          .idle = std::max(0.0, 1 - busy),
          .bytes_read = sums.bytes,
          .bytes_a_second = static_cast<double>(sums.bytes) / sums.seconds};
}

struct MeasuredPart {
  std::string name;
  std::function<double(Setup&, double, LoaderSums*)> run;
};

std::vector<MeasuredPart> all_parts() {
  std::vector<MeasuredPart> parts;
  for (const Stage stage : kStages)
    parts.push_back({stage_name(stage), [stage](Setup& setup, double seconds, LoaderSums* /*sums*/) {
                       return setup.stage(stage, seconds);
                     }});
  parts.push_back(
      {"loader", [](Setup& setup, double seconds, LoaderSums* sums) { return setup.loader(seconds, sums); }});
  parts.push_back({"model", [](Setup& setup, double seconds, LoaderSums* /*sums*/) { return setup.model(seconds); }});
  parts.push_back(
      {"together", [](Setup& setup, double seconds, LoaderSums* sums) { return setup.together(seconds, sums); }});
  parts.push_back({"gemm", [](Setup& setup, double seconds, LoaderSums* /*sums*/) { return setup.gemm(seconds); }});
  return parts;
}

tbb::global_control limited_to(int threads) {
  return {tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)};
}

}  // namespace

const PartResult* PipelineResult::find(std::string_view part, int threads) const {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const PartResult& p) { return p.part == part && p.threads == threads; });
  return found == parts.end() ? nullptr : &*found;
}

double PipelineResult::median(std::string_view part, int threads) const {
  const PartResult* found = find(part, threads);
  return found == nullptr ? 0 : found->interval().median;
}

double PipelineResult::efficiency(const PartResult& part) const {
  const int least = least_threads();
  return part.interval().median / part.threads / (median(part.part, least) / least);
}

double PipelineResult::of_peak(int threads) const {
  return 1e-9 * operations_a_picture * median("model", threads) / median("gemm", threads);
}

std::vector<int> threads_to_sweep(int most) {
  std::vector<int> all;
  for (int n = 1; n < most; n = n < 4 ? n + 1 : 2 * n) all.push_back(n);
  all.push_back(most);
  return all;
}

PipelineResult measure_pipeline(const BenchPictures& pictures, const PipelineBenchOptions& options) {
  const Dataset many = repeated(pictures.dataset, static_cast<size_t>(options.network.batch));
  std::vector<std::unique_ptr<Setup>> setups;
  for (const int threads : options.threads) {
    const auto limit = limited_to(threads);
    setups.push_back(std::make_unique<Setup>(pictures, many, options, threads));
  }

  PipelineResult result;
  const std::vector<MeasuredPart> parts = all_parts();
  std::vector<LoaderSums> sums(parts.size() * setups.size());
  for (const MeasuredPart& part : parts)
    for (const auto& setup : setups) result.parts.push_back({.part = part.name, .threads = setup->threads()});
  // The first round warms up.
  for (int repeat = -1; repeat < options.repeats; ++repeat) {
    for (size_t i = 0; i < result.parts.size(); ++i) {
      if (stop_requested()) return {.parts = {}, .operations_a_picture = 0, .stopped = true};
      Setup& setup = *setups[i % setups.size()];
      const auto limit = limited_to(setup.threads());
      const MeasuredPart& part = parts[i / setups.size()];
      if (repeat < 0)
        part.run(setup, std::min(options.seconds, kWarmupSeconds), nullptr);
      else
        result.parts[i].values.push_back(part.run(setup, options.seconds, &sums[i]));
    }
  }
  for (size_t i = 0; i < result.parts.size(); ++i)
    if (result.parts[i].has_loader()) result.parts[i].shares = shares_of(sums[i], result.parts[i].threads);
  result.operations_a_picture = setups.front()->operations_a_picture();
  return result;
}

}  // namespace resflow
