// Features once they are computed: reading them from a cache, and training a head on them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/train/head_trainer.h"
#include "io/files/feature_cache.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRows = 50'000, kColumns = 512, kBlock = 32;
const FeatureCacheKey kKey = {.key = std::string(64, '0'), .rows = kRows, .columns = kColumns};

std::vector<float> made_rows(int64_t rows) {
  std::vector<float> values(static_cast<size_t>(rows * kColumns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 2654435761U % 1000) / 1000;
  return values;
}

// A whole cache of its own, removed at the end.
class File {
 public:
  File() {
    std::string folder = (fs::temp_directory_path() / "resflow-bench-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    FeatureCache cache(path(), kKey);
    const std::vector<float> block = made_rows(kBlock);
    while (!cache.complete()) {
      const int64_t rows = std::min(kBlock, kRows - cache.done());
      cache.append(rows, std::span(block).first(static_cast<size_t>(rows * kColumns)), {});
    }
  }
  ~File() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return (folder_ / "x.features").string(); }

 private:
  fs::path folder_;
};

void read_features(benchmark::State& state) {
  const File file;
  for (auto _ : state) {
    const FeatureCache cache(file.path(), kKey);
    if (!cache.complete() ||
        cache.values().values<float>().back() != made_rows(kBlock)[(kRows % kBlock) * kColumns - 1])
      state.SkipWithError("the rows are not those that were written");
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(read_features)->Unit(benchmark::kMillisecond)->UseRealTime();

// Arguments: batch, classes.
void train_head(benchmark::State& state) {
  const Compute compute(2);
  const int64_t batch = state.range(0), classes = state.range(1);
  Model model({.architecture = "resnet18", .num_classes = classes}, compute);
  model.initialise(0);
  HeadTrainer trainer(model, batch, {.name = "adam", .lr = 1e-3});
  const std::vector<float> rows = made_rows(batch);
  std::vector<int32_t> labels(static_cast<size_t>(batch));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(static_cast<int64_t>(i) % classes);
  const double first = trainer.step(rows.data(), labels).loss;
  double last = first;
  for (auto _ : state) last = trainer.step(rows.data(), labels).loss;
  if (!(last <= first)) state.SkipWithError("the loss has not fallen");
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(train_head)->Args({32, 4})->Args({256, 4})->Args({32, 1000})->UseRealTime();

}  // namespace
}  // namespace resflow
