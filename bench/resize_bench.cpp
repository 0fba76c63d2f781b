// Bilinear resize and normalization in each instruction set; one thread, warm caches.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "pipeline/pixels/normalize.h"
#include "pipeline/pixels/random.h"
#include "pipeline/pixels/resize.h"

namespace resflow {
namespace {

constexpr int kSize = 224;

Image noise(int width, int height) {
  Draw draw(1, 2, 3, DrawFor::kOrder);
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y)
    for (size_t x = 0; x < image.row_bytes(); ++x) image.row(y)[x] = static_cast<uint8_t>(draw.next());
  return image;
}

// Plans and resizes a picture of the given size to 224 x 224.
void resize(benchmark::State& state, Isa isa) {
  if (isa > cpu_isa()) return state.SkipWithError("this CPU has no such instructions");
  const auto width = static_cast<int>(state.range(0)), height = static_cast<int>(state.range(1));
  const Image image = noise(width, height);
  std::vector<uint8_t> out(size_t{3} * kSize * kSize), wanted(out.size());
  const auto run = [&](Resizer& resizer, std::vector<uint8_t>& to) {
    resizer.plan(width, height, kSize, kSize, {0, 0, kSize, kSize});
    resizer.run(image, to.data(), size_t{3} * kSize);
  };
  Resizer plain(Isa::kPlain), resizer(isa);
  run(plain, wanted);
  run(resizer, out);
  if (out != wanted) return state.SkipWithError("differs from the plain kernel");
  for (auto _ : state) {
    run(resizer, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
void sizes(benchmark::internal::Benchmark* b) {
  b->Args({150, 130})->Args({300, 280})->Args({430, 370})->Args({1000, 900})->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(resize, plain, Isa::kPlain)->Apply(sizes);
BENCHMARK_CAPTURE(resize, avx2, Isa::kAvx2)->Apply(sizes);
BENCHMARK_CAPTURE(resize, avx512, Isa::kAvx512Vnni)->Apply(sizes);

void normalize(benchmark::State& state, Isa isa) {
  if (isa > cpu_isa()) return state.SkipWithError("this CPU has no such instructions");
  constexpr float kMean[3] = {0.485F, 0.456F, 0.406F}, kStd[3] = {0.229F, 0.224F, 0.225F};
  const Image image = noise(kSize, kSize);
  std::vector<float> out(size_t{3} * kSize * kSize), wanted(out.size());
  const Normalizer plain(kMean, kStd, Isa::kPlain), normalizer(kMean, kStd, isa);
  const bool flip = state.range(0) != 0;
  plain.run(image.row(0), kSize, kSize, flip, wanted.data());
  normalizer.run(image.row(0), kSize, kSize, flip, out.data());
  if (out != wanted) return state.SkipWithError("differs from the plain kernel");
  for (auto _ : state) {
    normalizer.run(image.row(0), kSize, kSize, flip, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(normalize, plain, Isa::kPlain)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(normalize, avx512, Isa::kAvx512Vnni)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace resflow
