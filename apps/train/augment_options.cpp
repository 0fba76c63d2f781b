#include "apps/train/augment_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/train/option_conditions.h"
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
    throw usage_error("{} has {} numbers: wanted brightness,contrast,saturation,hue like 0.4,0.4,0.4,0.1",
                      setting("color_jitter"), amounts.size());
  check_from_0(setting("color_jitter") + "'s brightness", amounts[0]);
  check_from_0(setting("color_jitter") + "'s contrast", amounts[1]);
  check_from_0(setting("color_jitter") + "'s saturation", amounts[2]);
  check_range(setting("color_jitter") + "'s hue", amounts[3], 0, 0.5);
}

ColorJitter color_jitter(const AugmentOptions& o) {
  if (o.color_jitter.empty()) return {};
  return {o.color_jitter[0], o.color_jitter[1], o.color_jitter[2], o.color_jitter[3]};
}

}  // namespace

void check(const AugmentOptions& o, const std::set<std::string>& given) {
  if (o.crop_scale.size() != 2 || !(o.crop_scale[0] > 0 && o.crop_scale[0] <= o.crop_scale[1] && o.crop_scale[1] <= 1))
    throw usage_error("{} {}: wanted low,high like 0.08,1, above 0 and at most 1", setting("crop_scale"),
                      fmt::join(o.crop_scale, ","));
  check_range(setting("hflip"), o.hflip, 0, 1);
  const bool rand_augment = o.auto_augment == kRandAugment;
  if (!rand_augment && o.auto_augment != "none" && o.auto_augment != kTrivialAugment)
    throw usage_error("{} {}: wanted none, {} or {}", setting("auto_augment"), o.auto_augment, kRandAugment,
                      kTrivialAugment);
  for (const Option<AugmentOptions>& option : augment_option_table())
    if (given.contains(option.name))
      if (const std::string why = unmet_need(augment_option_table(), option, o); !why.empty())
        throw usage_error("{}", why);
  if (o.ra_ops < 1) throw usage_error("{} is {}: wanted at least 1", setting("ra_ops"), o.ra_ops);
  check_range(setting("ra_magnitude"), o.ra_magnitude, 0, kAugmentSteps - 1);
  check_color_jitter(o.color_jitter);
  check_range(setting("random_erase"), o.random_erase, 0, 1);
  check_from_0(setting("mixup"), o.mixup);
  check_from_0(setting("cutmix"), o.cutmix);
}

Recipe train_recipe(int image_size, const Preprocessing& evaluation, const AugmentOptions& o) {
  Recipe recipe = Recipe::train(image_size);
  const Recipe normalized = Recipe::eval(evaluation);
  std::copy_n(normalized.mean, 3, recipe.mean);
  std::copy_n(normalized.std, 3, recipe.std);
  recipe.interpolation = normalized.interpolation;
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

const std::vector<Option<AugmentOptions>>& augment_option_table() {
  using O = AugmentOptions;
  constexpr unsigned kCopied = kInNetwork | kInCopies;
  const OptionNeed rand_augment = {.option = "auto_augment", .values = {kRandAugment}};
  static const std::vector<Option<AugmentOptions>> all = {
      {{.name = "crop_scale",
        .help = "low,high: the part of a picture's area that a crop shows",
        .place = 44,
        .modes = kCopied},
       option_at<&O::crop_scale>},
      {{.name = "hflip", .help = "how probably a picture is mirrored", .place = 45, .modes = kCopied},
       option_at<&O::hflip>},
      {{.name = "auto_augment",
        .help = "none, randaugment or trivialaugment: operations drawn of fourteen that move and recolour a picture",
        .place = 46,
        .modes = kCopied},
       option_at<&O::auto_augment>},
      {{.name = "ra_ops",
        .help = "randaugment: operations a picture",
        .place = 47,
        .modes = kCopied,
        .needs = rand_augment},
       option_at<&O::ra_ops>},
      {{.name = "ra_magnitude",
        .help = "randaugment: how strong, 0 to 30",
        .place = 48,
        .modes = kCopied,
        .needs = rand_augment},
       option_at<&O::ra_magnitude>},
      {{.name = "color_jitter",
        .help = "brightness,contrast,saturation,hue: how far each changes at random, like 0.4,0.4,0.4,0.1",
        .place = 49,
        .modes = kCopied},
       option_at<&O::color_jitter>},
      {{.name = "random_erase",
        .help = "how probably a rectangle of a picture is erased",
        .place = 50,
        .modes = kCopied},
       option_at<&O::random_erase>},
      {{.name = "mixup",
        .help = "alpha, like 0.2: every batch's pictures and targets are blended in pairs, by Beta(alpha, alpha)",
        .place = 51,
        .modes = kInNetwork},
       option_at<&O::mixup>},
      {{.name = "cutmix",
        .help = "alpha, like 1: a box of each picture comes from another; beside {mixup} either, by chance",
        .place = 52,
        .modes = kInNetwork},
       option_at<&O::cutmix>},
  };
  return all;
}

}  // namespace resflow
