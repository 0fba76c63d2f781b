// JPEG photographs to RGB, whole and in the parts that the recipes read; one thread, files in memory.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>

#include "bench/photographs.h"
#include "io/decode.h"
#include "pipeline/crop.h"
#include "pipeline/recipe.h"
#include "pipeline/resize.h"

namespace resflow {
namespace {

enum class Part { kWhole, kTrain, kEval };

Rect region(Part part, int width, int height, uint64_t sample) {
  if (part == Part::kTrain) return draw_train(Recipe::train(224), width, height, 1, 0, sample).crop;
  if (part == Part::kWhole) return {0, 0, width, height};
  const ResizeCrop crop = resize_center_crop(width, height, 256, 224);
  return Resizer().plan(width, height, crop.width, crop.height, crop.keep);
}

void decode(benchmark::State& state, Part part) {
  const auto& files = bench::photographs();
  Decoder decoder;
  Image image, whole;
  // First that what is timed is right.
  for (size_t i = 0; i < files.size(); i += 16) {
    decoder.open(files[i]);
    const Rect rect = region(part, decoder.width(), decoder.height(), i);
    decoder.decode(rect, image);
    decoder.open(files[i]);
    decoder.decode(whole);
    for (int y = 0; y < rect.height; ++y)
      if (std::memcmp(image.row(y), whole.row(rect.top + y) + size_t{3} * static_cast<size_t>(rect.left),
                      image.row_bytes()) != 0)
        return state.SkipWithError("a part differs from that part of the whole");
  }
  size_t i = 0;
  for (auto _ : state) {
    decoder.open(files[i % files.size()]);
    decoder.decode(region(part, decoder.width(), decoder.height(), i), image);
    benchmark::DoNotOptimize(image.row(0));
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(decode, whole, Part::kWhole)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode, train, Part::kTrain)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode, eval, Part::kEval)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace resflow
