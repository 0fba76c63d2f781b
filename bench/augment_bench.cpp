// The random changes of training on pictures of 224 x 224, one thread: each operation, and what the policies draw.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "bench/photographs.h"
#include "io/images/decode.h"
#include "pipeline/pixels/auto_augment.h"
#include "pipeline/pixels/color_jitter.h"
#include "pipeline/pixels/image_op.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

constexpr int kSize = 224;
constexpr size_t kPictures = 64;  // 10 MB: more than the inner caches hold

// Middles of photographs that are large enough.
const std::vector<Image>& pictures() {
  static const std::vector<Image> all = [] {
    std::vector<Image> images;
    Decoder decoder;
    for (const auto& file : bench::photographs()) {
      if (images.size() == kPictures) break;
      decoder.open(file);
      if (decoder.width() < kSize || decoder.height() < kSize) continue;
      decoder.decode({(decoder.width() - kSize) / 2, (decoder.height() - kSize) / 2, kSize, kSize},
                     images.emplace_back());
    }
    return images;
  }();
  return all;
}

bool same(const Image& a, const Image& b) {
  return std::memcmp(a.row(0), b.row(0), a.row_bytes() * static_cast<size_t>(a.height())) == 0;
}

// What an operation does, and with which value it does nothing.
struct Operation {
  const char* name;
  ImageOp op, neutral;
};
using Kind = ImageOpKind;
const Operation kOperations[] = {{"brightness", {Kind::kBrightness, 1.3}, {Kind::kBrightness, 1}},
                                 {"contrast", {Kind::kContrast, 1.3}, {Kind::kContrast, 1}},
                                 {"saturation", {Kind::kSaturation, 1.3}, {Kind::kSaturation, 1}},
                                 {"sharpness", {Kind::kSharpness, 1.3}, {Kind::kSharpness, 1}},
                                 {"hue", {Kind::kHue, 0.1}, {Kind::kIdentity, 0}},
                                 {"posterize", {Kind::kPosterize, 4}, {Kind::kPosterize, 8}},
                                 {"solarize", {Kind::kSolarize, 128}, {Kind::kSolarize, 256}},
                                 {"auto_contrast", {Kind::kAutoContrast, 0}, {Kind::kIdentity, 0}},
                                 {"equalize", {Kind::kEqualize, 0}, {Kind::kIdentity, 0}},
                                 {"invert", {Kind::kInvert, 0}, {Kind::kIdentity, 0}},
                                 {"shear_x", {Kind::kShearX, 0.2}, {Kind::kShearX, 0}},
                                 {"shear_y", {Kind::kShearY, 0.2}, {Kind::kShearY, 0}},
                                 {"translate_x", {Kind::kTranslateX, 20}, {Kind::kTranslateX, 0}},
                                 {"translate_y", {Kind::kTranslateY, 20}, {Kind::kTranslateY, 0}},
                                 {"rotate", {Kind::kRotate, 20}, {Kind::kRotate, 0}}};

void operation(benchmark::State& state, const Operation& o) {
  if (pictures().empty()) return state.SkipWithError("no photograph is that large");
  Image image, scratch;
  // The value that does nothing does nothing, the other one something, and always the same. (Equality with Pillow's
  // bits is the tests'.)
  for (size_t i = 0; i < pictures().size(); i += 16) {
    image = pictures()[i];
    apply(o.neutral, image, scratch);
    if (!same(image, pictures()[i])) return state.SkipWithError("the neutral value changes a picture");
    apply(o.op, image, scratch);
    if (same(image, pictures()[i]) && o.op.kind != Kind::kAutoContrast)
      return state.SkipWithError("the picture stays as it was");
    Image again = pictures()[i];
    apply(o.op, again, scratch);
    if (!same(image, again)) return state.SkipWithError("another result the second time");
  }
  size_t i = 0;
  for (auto _ : state) {
    state.PauseTiming();
    image = pictures()[i++ % pictures().size()];
    state.ResumeTiming();
    apply(o.op, image, scratch);
    benchmark::DoNotOptimize(image.row(0));
  }
  state.SetItemsProcessed(state.iterations());
}

// Drawing and applying, as the recipe does it between resizing and normalizing.
void policy(benchmark::State& state, const Recipe& recipe) {
  if (pictures().empty()) return state.SkipWithError("no photograph is that large");
  Image image, scratch;
  const auto run = [&](uint64_t sample) {
    image = pictures()[sample % pictures().size()];
    for (const ImageOp& op : draw_train(recipe, kSize, kSize, 1, 0, sample).ops) apply(op, image, scratch);
  };
  run(3);
  const Image first = image;
  run(4);
  run(3);
  if (!same(image, first)) return state.SkipWithError("another result the second time");
  uint64_t sample = 0;
  for (auto _ : state) run(sample++);
  state.SetItemsProcessed(state.iterations());
}

Recipe with(AutoAugment which) {
  Recipe recipe = Recipe::train(kSize);
  recipe.auto_augment = which;
  return recipe;
}

Recipe with_jitter() {
  Recipe recipe = Recipe::train(kSize);
  recipe.color_jitter = {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4, .hue = 0.1};
  return recipe;
}

[[maybe_unused]] const bool registered = [] {
  for (const Operation& o : kOperations)
    benchmark::RegisterBenchmark(fmt::format("operation/{}", o.name).c_str(), [&o](benchmark::State& state) {
      operation(state, o);
    })->Unit(benchmark::kMicrosecond);
  return true;
}();
BENCHMARK_CAPTURE(policy, rand_augment, with(AutoAugment::kRandAugment))->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(policy, trivial_augment, with(AutoAugment::kTrivialAugment))->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(policy, color_jitter, with_jitter())->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace resflow
