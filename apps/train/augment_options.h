// How training changes its photographs at random, as options that several subcommands share.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "apps/train/option.h"
#include "io/checkpoint/description.h"
#include "pipeline/pixels/mix.h"
#include "pipeline/recipe.h"

namespace resflow {

// Defaults are torchvision's; all but crop and flip is off.
struct AugmentOptions {
  std::vector<double> crop_scale = {0.08, 1};  // low and high part of the picture's area
  double hflip = 0.5;                          // probability
  std::string auto_augment = "none";           // "none", "randaugment", "trivialaugment"
  int ra_ops = 2, ra_magnitude = 9;            // of randaugment; the magnitude is 0 to 30
  std::vector<double> color_jitter = {};       // brightness, contrast, saturation, hue; empty: off
  double random_erase = 0;                     // probability
  double mixup = 0, cutmix = 0;                // alpha; 0: off
};

// Throws Error{kUsage} for values that cannot be, and for an option of RandAugment that is in `given` ("ra_ops") where
// it would do nothing.
void check(const AugmentOptions& options, const std::set<std::string>& given = {});

// The training recipe with all of them but the mixing; pictures are resampled and normalized as in `evaluation`.
// REQUIRES: check() accepts the options.
Recipe train_recipe(int image_size, const Preprocessing& evaluation, const AugmentOptions& options);
MixOptions mix_options(const AugmentOptions& options);

// "crop 0.08 to 1, flip 0.5, randaugment 2 at 9, mixup 0.2"
std::string describe(const AugmentOptions& options);

// The table of them. Every one decides the bits of a run.
const std::vector<Option<AugmentOptions>>& augment_option_table();

}  // namespace resflow
