#include "pipeline/recipe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/core/error.h"
#include "pipeline/pixels/affine.h"
#include "pipeline/pixels/crop.h"
#include "pipeline/pixels/random.h"

namespace resflow {
namespace {

Recipe checked(const Recipe& recipe) {
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
  if (recipe.randaugment_ops < 0)
    throw usage_error("RandAugment of {} operations: wanted 0 or more", recipe.randaugment_ops);
  if (recipe.randaugment_magnitude < 0 || recipe.randaugment_magnitude >= kAugmentSteps)
    throw usage_error("RandAugment's magnitude {}: wanted 0 to {}", recipe.randaugment_magnitude, kAugmentSteps - 1);
  check(recipe.color_jitter);
  if (!(recipe.erase_probability >= 0 && recipe.erase_probability <= 1))
    throw usage_error("probability of erasing {}: wanted 0 to 1", recipe.erase_probability);
  if (!is_range(recipe.erase_scale) || recipe.erase_scale[1] > 1)
    throw usage_error("erased part {} to {}: wanted 0 < low <= high <= 1", recipe.erase_scale[0],
                      recipe.erase_scale[1]);
  if (!is_range(recipe.erase_ratio))
    throw usage_error("ratio of what is erased {} to {}: wanted 0 < low <= high", recipe.erase_ratio[0],
                      recipe.erase_ratio[1]);
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
  recipe.interpolation = interpolation_named(preprocessing.interpolation);
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
  TrainDraw result{random_resized_crop(width, height, recipe.scale, recipe.ratio, crop),
                   flip.uniform() < recipe.flip_probability};
  const int size = recipe.size;
  if (recipe.auto_augment != AutoAugment::kNone) {
    Draw draw(seed, epoch, sample, DrawFor::kAutoAugment);
    if (recipe.auto_augment == AutoAugment::kRandAugment)
      draw_rand_augment(recipe.randaugment_ops, recipe.randaugment_magnitude, size, size, draw, result.ops);
    else
      draw_trivial_augment(size, size, draw, result.ops);
  }
  if (recipe.color_jitter.on()) {
    Draw draw(seed, epoch, sample, DrawFor::kColorJitter);
    draw_color_jitter(recipe.color_jitter, draw, result.ops);
  }
  if (recipe.erase_probability > 0) {
    Draw draw(seed, epoch, sample, DrawFor::kRandomErasing);
    result.erase = draw_erasing(recipe.erase_probability, recipe.erase_scale, recipe.erase_ratio, size, size, draw);
  }
  return result;
}

int fast_scale(int width, int height, int out_width, int out_height) {
  for (const int eighths : {1, 2, 4})
    if (int64_t{width} * eighths >= int64_t{out_width} * 8 && int64_t{height} * eighths >= int64_t{out_height} * 8)
      return eighths;
  return 8;
}

RecipeWorker::RecipeWorker(const Recipe& recipe, DecodeMode mode)
    : recipe_(checked(recipe)), mode_(mode), resizer_(recipe.interpolation), normalizer_(recipe.mean, recipe.std) {
  resized_.resize(recipe.size, recipe.size);
}

RecipeWorker::Crop RecipeWorker::choose(int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample) {
  const int size = recipe_.size;
  if (recipe_.kind == Recipe::Kind::kTrain) {
    TrainDraw draw = draw_train(recipe_, width, height, seed, epoch, sample);
    flip_ = draw.flip;
    ops_ = std::move(draw.ops);
    erase_ = draw.erase;
    return {draw.crop, size, size, {0, 0, size, size}};
  }
  const ResizeCrop crop = resize_center_crop(width, height, recipe_.resize, size);
  if (crop.keep.width < size || crop.keep.height < size)
    std::fill_n(resized_.row(0), stride() * static_cast<size_t>(size), uint8_t{0});
  offset_ = static_cast<size_t>(crop.top) * stride() + static_cast<size_t>(crop.left) * 3;
  return {{0, 0, width, height}, crop.width, crop.height, crop.keep};
}

void RecipeWorker::plan(Decoder& decoder, uint64_t seed, uint64_t epoch, uint64_t sample) {
  const Crop crop = choose(decoder.width(), decoder.height(), seed, epoch, sample);
  const int eighths =
      mode_ == DecodeMode::kFast ? fast_scale(crop.part.width, crop.part.height, crop.width, crop.height) : 8;
  if (eighths < 8 && decoder.set_scale(eighths)) {
    source_ =
        resizer_.plan(decoder.scaled(crop.part), decoder.width(), decoder.height(), crop.width, crop.height, crop.keep);
    return;
  }
  plan(crop);
}

void RecipeWorker::plan(const Crop& crop) {
  source_ = resizer_.plan(crop.part.width, crop.part.height, crop.width, crop.height, crop.keep);
  source_.left += crop.part.left;
  source_.top += crop.part.top;
}

void RecipeWorker::apply_ops() {
  for (const ImageOp& op : ops_) {
    // Else the flip costs nothing on the way into the batch.
    if (flip_ && tells_left_from_right(op.kind)) {
      mirror(resized_);
      flip_ = false;
    }
    apply(op, resized_, scratch_);
  }
}

}  // namespace resflow
