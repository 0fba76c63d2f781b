#include "apps/train/augment_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/core/check_range.h"
#include "io/core/error.h"

namespace resflow {
namespace {

constexpr const char *kRandAugment = "randaugment", *kTrivialAugment = "trivialaugment";

void check_from_0(const std::string& name, double value) {
  if (!(value >= 0 && std::isfinite(value))) throw usage_error("{} is {}: wanted a number from 0 up", name, value);
}

void check_color_jitter(const std::vector<double>& amounts) {
  if (amounts.empty()) return;
  if (amounts.size() != 4)
    throw usage_error("--color-jitter has {} numbers: wanted brightness,contrast,saturation,hue like 0.4,0.4,0.4,0.1",
                      amounts.size());
  check_from_0("--color-jitter's brightness", amounts[0]);
  check_from_0("--color-jitter's contrast", amounts[1]);
  check_from_0("--color-jitter's saturation", amounts[2]);
  check_range("--color-jitter's hue", amounts[3], 0, 0.5);
}

ColorJitter color_jitter(const AugmentOptions& o) {
  if (o.color_jitter.empty()) return {};
  return {o.color_jitter[0], o.color_jitter[1], o.color_jitter[2], o.color_jitter[3]};
}

}  // namespace

void check(const AugmentOptions& o, const std::set<std::string>& given) {
  if (o.crop_scale.size() != 2 || !(o.crop_scale[0] > 0 && o.crop_scale[0] <= o.crop_scale[1] && o.crop_scale[1] <= 1))
    throw usage_error("--crop-scale {}: wanted low,high like 0.08,1, above 0 and at most 1",
                      fmt::join(o.crop_scale, ","));
  check_range("--hflip", o.hflip, 0, 1);
  const bool rand_augment = o.auto_augment == kRandAugment;
  if (!rand_augment && o.auto_augment != "none" && o.auto_augment != kTrivialAugment)
    throw usage_error("--auto-augment {}: wanted none, {} or {}", o.auto_augment, kRandAugment, kTrivialAugment);
  for (const char* option : {"--ra-ops", "--ra-magnitude"})
    if (!rand_augment && given.contains(option))
      throw usage_error("{} goes with --auto-augment {}, not {}", option, kRandAugment, o.auto_augment);
  if (o.ra_ops < 1) throw usage_error("--ra-ops is {}: wanted at least 1", o.ra_ops);
  check_range("--ra-magnitude", o.ra_magnitude, 0, kAugmentSteps - 1);
  check_color_jitter(o.color_jitter);
  check_range("--random-erase", o.random_erase, 0, 1);
  check_from_0("--mixup", o.mixup);
  check_from_0("--cutmix", o.cutmix);
}

Recipe train_recipe(int image_size, const Preprocessing& evaluation, const AugmentOptions& o) {
  Recipe recipe = Recipe::train(image_size);
  const Recipe normalized = Recipe::eval(evaluation);
  std::copy_n(normalized.mean, 3, recipe.mean);
  std::copy_n(normalized.std, 3, recipe.std);
  std::copy_n(o.crop_scale.begin(), 2, recipe.scale);
  recipe.flip_probability = o.hflip;
  recipe.auto_augment = o.auto_augment == kRandAugment      ? AutoAugment::kRandAugment
                        : o.auto_augment == kTrivialAugment ? AutoAugment::kTrivialAugment
                                                            : AutoAugment::kNone;
  recipe.randaugment_ops = o.ra_ops;
  recipe.randaugment_magnitude = o.ra_magnitude;
  recipe.color_jitter = color_jitter(o);
  recipe.erase_probability = o.random_erase;
  return recipe;
}

MixOptions mix_options(const AugmentOptions& o) { return {.mixup_alpha = o.mixup, .cutmix_alpha = o.cutmix}; }

std::string describe(const AugmentOptions& o) {
  std::string text = fmt::format("crop {}, flip {}", fmt::join(o.crop_scale, " to "), o.hflip);
  if (o.auto_augment == kRandAugment)
    text += fmt::format(", {} {} at {}", kRandAugment, o.ra_ops, o.ra_magnitude);
  else if (o.auto_augment != "none")
    text += ", " + o.auto_augment;
  if (color_jitter(o).on()) text += fmt::format(", colour jitter {}", fmt::join(o.color_jitter, " "));
  for (const auto& [name, value] :
       {std::pair{"erase", o.random_erase}, std::pair{"mixup", o.mixup}, std::pair{"cutmix", o.cutmix}})
    if (value > 0) text += fmt::format(", {} {}", name, value);
  return text;
}

const std::vector<OptionField<AugmentOptions>>& augment_fields() {
  static const std::vector<OptionField<AugmentOptions>> all = {
      option_list_field("--crop-scale", true, &AugmentOptions::crop_scale),
      option_field("--hflip", true, &AugmentOptions::hflip),
      option_field("--auto-augment", true, &AugmentOptions::auto_augment),
      option_field("--ra-ops", true, &AugmentOptions::ra_ops),
      option_field("--ra-magnitude", true, &AugmentOptions::ra_magnitude),
      option_list_field("--color-jitter", true, &AugmentOptions::color_jitter),
      option_field("--random-erase", true, &AugmentOptions::random_erase),
      option_field("--mixup", true, &AugmentOptions::mixup),
      option_field("--cutmix", true, &AugmentOptions::cutmix),
  };
  return all;
}

}  // namespace resflow
