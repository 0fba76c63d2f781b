// The pipeline from file to batch: each stage alone on one thread, then the flow graph as a whole, then the
// flow graph beside a computation that wants the same cores.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "bench/photographs.h"
#include "io/core/stopwatch.h"
#include "io/images/decode.h"
#include "pipeline/loader.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

constexpr int kSize = 224, kBatch = 32;

Recipe recipe_of(bool train) { return train ? Recipe::train(kSize) : Recipe::eval(eval_preprocessing(kSize)); }

// The data set four times over, as the peers' script has it.
const Dataset& dataset() {
  static const Dataset four_times = [] {
    Dataset once = list_image_folder(bench::photograph_folder()), all = once;
    for (int i = 0; i < 3; ++i) all.samples.insert(all.samples.end(), once.samples.begin(), once.samples.end());
    return all;
  }();
  return four_times;
}

void read(benchmark::State& state) {
  std::vector<uint8_t> buffer;
  if (read_file(dataset().samples.front().path, buffer).size() !=
      std::filesystem::file_size(dataset().samples.front().path))
    return state.SkipWithError("a file is not read whole");
  size_t i = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(read_file(dataset().samples[i++ % dataset().samples.size()].path, buffer));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read)->Unit(benchmark::kMicrosecond);

// Counters: microseconds a picture of each stage.
void stages(benchmark::State& state, bool train) {
  const auto& files = bench::photographs();
  RecipeWorker worker(recipe_of(train));
  Decoder decoder;
  constexpr size_t kRow = size_t{3} * kSize * kSize;
  std::vector<float> batch(kRow * kBatch);
  double decode_seconds = 0, resize_seconds = 0, normalize_seconds = 0;
  // First that another worker, which does all at once, makes the same of them.
  RecipeWorker whole(recipe_of(train));
  for (size_t k = 0; k < files.size(); k += 16) {
    decoder.open(files[k]);
    worker.plan(decoder.width(), decoder.height(), 1, 0, k);
    worker.decode(decoder);
    worker.resize();
    worker.augment();
    worker.normalize(batch.data());
    decoder.open(files[k]);
    whole.run(decoder, 1, 0, k, batch.data() + kRow);
    if (!std::equal(batch.data(), batch.data() + kRow, batch.data() + kRow))
      return state.SkipWithError("the stages give other pixels than the whole");
  }
  size_t i = 0;
  for (auto _ : state) {
    Stopwatch watch;
    decoder.open(files[i % files.size()]);
    worker.plan(decoder.width(), decoder.height(), 1, 0, i);
    worker.decode(decoder);
    decode_seconds += watch.lap();
    worker.resize();
    worker.augment();
    resize_seconds += watch.lap();
    worker.normalize(batch.data() + i % kBatch * kRow);
    normalize_seconds += watch.lap();
    ++i;
  }
  const double scale = 1e6 / static_cast<double>(state.iterations());
  state.counters["decode_us"] = decode_seconds * scale;
  state.counters["resize_us"] = resize_seconds * scale;
  state.counters["normalize_us"] = normalize_seconds * scale;
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(stages, train, true)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(stages, eval, false)->Unit(benchmark::kMicrosecond);

// Is each row of an epoch's first batch what a worker makes of its file?
bool first_batch_is_right(Loader& loader, bool train) {
  RecipeWorker worker(recipe_of(train));
  Decoder decoder;
  std::vector<uint8_t> buffer;
  constexpr size_t kRow = size_t{3} * kSize * kSize;
  std::vector<float> row(kRow);
  bool right = true;
  loader.run(0, 0, [&](const Batch& batch) {
    right = batch.size > 0;
    for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
      const auto sample = static_cast<size_t>(batch.samples[i]);
      decoder.open(read_file(dataset().samples[sample].path, buffer));
      worker.run(decoder, 0, 0, sample, row.data());
      right = right && std::equal(row.begin(), row.end(), batch.pixels + i * kRow);
    }
    return false;
  });
  return right;
}

// items_per_second is pictures per second.
void load(benchmark::State& state, bool train) {
  const auto threads = static_cast<int>(state.range(0));
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads));
  Loader loader(dataset(), recipe_of(train), {.batch = kBatch, .threads = threads});
  if (!first_batch_is_right(loader, train)) return state.SkipWithError("a batch holds other pixels than its files");
  int64_t images = 0;
  uint64_t epoch = 0;
  loader.run(epoch++, 0, [](const Batch& batch) { return batch.number < 3; });
  for (auto _ : state) images += loader.run(epoch++, 0, [](const Batch&) { return true; }).images;
  state.SetItemsProcessed(images);
}
BENCHMARK_CAPTURE(load, train, true)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(load, eval, false)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// A stand-in for a network's step: `layers` parallel loops of a fixed amount of arithmetic, one after another.
class Computation {
 public:
  explicit Computation(int threads) : threads_(threads), arena_(threads, 1, tbb::task_arena::priority::high) {}
  void step(int layers) {
    arena_.execute([&] {
      for (int layer = 0; layer < layers; ++layer)
        tbb::parallel_for(
            0, threads_ * 2,
            [](int part) {
              float x = static_cast<float>(part);
              for (int i = 0; i < 250'000; ++i) x = x * 0.999F + 1.0F;
              benchmark::DoNotOptimize(x);
            },
            tbb::static_partitioner());
    });
  }

 private:
  int threads_;
  tbb::task_arena arena_;
};

// Counters: pictures per second of loading alone, of computing alone, of both on the same cores, and how much
// of 1 / (1 / load + 1 / compute) that is. The three are measured in turns.
void share(benchmark::State& state) {
  constexpr int kThreads = 2, kTurns = 5;
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, kThreads);
  Loader loader(dataset(), recipe_of(false), {.batch = kBatch, .threads = kThreads});
  Computation computation(kThreads);
  const auto layers = static_cast<int>(state.range(0));
  constexpr int kBatches = 24;
  double loading = 1e9, computing = 1e9, both = 1e9;
  for (auto _ : state)
    for (int turn = 0; turn < kTurns; ++turn) {
      const auto until_last = [](const Batch& batch) { return batch.number + 1 < kBatches; };
      Stopwatch watch;
      loader.run(1, 0, until_last);
      loading = std::min(loading, watch.lap());
      for (int i = 0; i < kBatches; ++i) computation.step(layers);
      computing = std::min(computing, watch.lap());
      loader.run(1, 0, [&](const Batch& batch) {
        computation.step(layers);
        return until_last(batch);
      });
      both = std::min(both, watch.lap());
    }
  constexpr double kImages = kBatches * kBatch;
  state.counters["load"] = kImages / loading;
  state.counters["compute"] = kImages / computing;
  state.counters["both"] = kImages / both;
  state.counters["of_ideal"] = (loading + computing) / both;
}
BENCHMARK(share)->Arg(10)->Arg(40)->Arg(160)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace resflow
