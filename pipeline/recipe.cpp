#include "pipeline/recipe.h"

#include <algorithm>
#include <cmath>

#include "io/error.h"
#include "pipeline/crop.h"
#include "pipeline/random.h"

namespace resflow {
namespace {

const Recipe& checked(const Recipe& recipe) {
  // 2^16 pixels a side is more than any JPEG has.
  constexpr int kMaxSide = 1 << 16;
  if (recipe.size < 1 || recipe.size > kMaxSide)
    throw usage_error("image size {}: wanted 1 to {}", recipe.size, kMaxSide);
  if (recipe.kind == Recipe::Kind::kEval && (recipe.resize < 1 || recipe.resize > kMaxSide))
    throw usage_error("resize to {}: wanted 1 to {}", recipe.resize, kMaxSide);
  const auto is_range = [](const double range[2]) {
    return range[0] > 0 && range[0] <= range[1] && std::isfinite(range[1]);
  };
  if (!is_range(recipe.scale))
    throw usage_error("crop scale {} to {}: wanted 0 < low <= high", recipe.scale[0], recipe.scale[1]);
  if (!is_range(recipe.ratio))
    throw usage_error("crop ratio {} to {}: wanted 0 < low <= high", recipe.ratio[0], recipe.ratio[1]);
  if (!(recipe.flip_probability >= 0 && recipe.flip_probability <= 1))
    throw usage_error("flip probability {}: wanted 0 to 1", recipe.flip_probability);
  return recipe;
}

}  // namespace

Recipe Recipe::train(int size) {
  Recipe recipe;
  recipe.kind = Kind::kTrain;
  recipe.size = size;
  return recipe;
}

Recipe Recipe::eval(const Preprocessing& preprocessing) {
  if (preprocessing.mean.size() != 3 || preprocessing.std.size() != 3)
    throw data_error("preprocessing has {} means and {} deviations: wanted 3 of each", preprocessing.mean.size(),
                     preprocessing.std.size());
  Recipe recipe;
  recipe.kind = Kind::kEval;
  recipe.size = preprocessing.crop;
  recipe.resize = preprocessing.resize;
  std::copy_n(preprocessing.mean.begin(), 3, recipe.mean);
  std::copy_n(preprocessing.std.begin(), 3, recipe.std);
  return recipe;
}

Preprocessing eval_preprocessing(int image_size) {
  Preprocessing preprocessing;
  preprocessing.resize = static_cast<int>(int64_t{image_size} * 256 / 224);
  preprocessing.crop = image_size;
  return preprocessing;
}

TrainDraw draw_train(const Recipe& recipe, int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample) {
  Draw crop(seed, epoch, sample, DrawFor::kRandomResizedCrop);
  Draw flip(seed, epoch, sample, DrawFor::kHorizontalFlip);
  return {random_resized_crop(width, height, recipe.scale, recipe.ratio, crop),
          flip.uniform() < recipe.flip_probability};
}

RecipeWorker::RecipeWorker(const Recipe& recipe)
    : recipe_(checked(recipe)),
      normalizer_(recipe.mean, recipe.std),
      resized_(static_cast<size_t>(recipe.size) * static_cast<size_t>(recipe.size) * 3) {}

void RecipeWorker::plan(int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample) {
  const int size = recipe_.size;
  if (recipe_.kind == Recipe::Kind::kTrain) {
    const TrainDraw draw = draw_train(recipe_, width, height, seed, epoch, sample);
    source_ = resizer_.plan(draw.crop.width, draw.crop.height, size, size, {0, 0, size, size});
    source_.left += draw.crop.left;
    source_.top += draw.crop.top;
    flip_ = draw.flip;
    return;
  }
  const ResizeCrop crop = resize_center_crop(width, height, recipe_.resize, size);
  source_ = resizer_.plan(width, height, crop.width, crop.height, crop.keep);
  if (crop.keep.width < size || crop.keep.height < size) std::fill(resized_.begin(), resized_.end(), uint8_t{0});
  offset_ = static_cast<size_t>(crop.top) * stride() + static_cast<size_t>(crop.left) * 3;
}

}  // namespace resflow
