// The whole way from a picture's bytes to what a network reads: bad data, or finite numbers, for training and for
// scoring. Every size that a header may state is planned; what is decoded is limited, so that an input takes no longer
// than it may.
#include "pipeline/recipe.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr int64_t kMaxFuzzedPixels = int64_t{1} << 20;

class Way {
 public:
  Way(const Recipe& recipe, DecodeMode mode)
      : worker_(recipe, mode), batch_(static_cast<size_t>(recipe.size) * recipe.size * 3) {}

  void go(std::span<const uint8_t> bytes) {
    if (!accepts([&] { decoder_.open(bytes, "input"); })) return;
    const int64_t pixels = int64_t{decoder_.width()} * decoder_.height();
    if (!accepts([&] { worker_.plan(decoder_, 1, 2, bytes.size()); }) || pixels > kMaxFuzzedPixels) return;
    if (!accepts([&] { worker_.run(decoder_, 1, 2, bytes.size(), batch_.data()); })) return;
    for (const float value : batch_)
      if (!std::isfinite(value)) finding("a number that is not finite");
  }

 private:
  Decoder decoder_;
  RecipeWorker worker_;
  std::vector<float> batch_;
};

Recipe everything() {
  Recipe recipe = Recipe::train(32);
  recipe.auto_augment = AutoAugment::kRandAugment;
  recipe.erase_probability = 0.5;
  return recipe;
}

void run(std::span<const uint8_t> bytes) {
  static Way eval(Recipe::eval(eval_preprocessing(32)), DecodeMode::kExact);
  static Way fast(Recipe::eval(eval_preprocessing(32)), DecodeMode::kFast);
  static Way train(everything(), DecodeMode::kExact);
  for (Way* way : {&eval, &fast, &train}) way->go(bytes);
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
