// Covers: apps/options/augment_options
#include "apps/train/augment_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "apps/options/augment_options.h"
#include "apps/options/option_row.h"
#include "io/core/error.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;

std::string augment_refusal(const AugmentOptions& options, const std::set<std::string>& given = {}) {
  try {
    check(options, given);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    return e.what();
  }
  return "accepted";
}

AugmentOptions options_of(std::vector<std::string> words) {
  AugmentOptions options;
  CLI::App app;
  add_augment_options(app, options);
  add_mix_options(app, options);
  app.parse(std::move(words));  // takes them from the end
  return options;
}

const AugmentOptions kAll = {.crop_scale = {0.25, 0.75},
                             .hflip = 0.1 + 0.2,
                             .auto_augment = "randaugment",
                             .ra_ops = 3,
                             .ra_magnitude = 14,
                             .color_jitter = {0.4, 0.3, 1.5, 0.1},
                             .random_erase = 0.25,
                             .mixup = 0.2,
                             .cutmix = 1};

TEST(AugmentOptions, DefaultsAreTheRecipesOwn) {
  const AugmentOptions defaults;
  EXPECT_EQ(augment_refusal(defaults), "accepted");
  const Recipe plain = Recipe::train(64), ours = train_recipe(64, eval_preprocessing(64), defaults);
  EXPECT_EQ(ours.kind, plain.kind);
  EXPECT_EQ(ours.scale[0], plain.scale[0]);
  EXPECT_EQ(ours.scale[1], plain.scale[1]);
  EXPECT_EQ(ours.flip_probability, plain.flip_probability);
  EXPECT_EQ(ours.auto_augment, AutoAugment::kNone);
  EXPECT_FALSE(ours.color_jitter.on());
  EXPECT_EQ(ours.erase_probability, 0);
  EXPECT_FALSE(mix_options(defaults).on());
  EXPECT_EQ(describe(defaults), "crop 0.08 to 1, flip 0.5");
}

TEST(AugmentOptions, AllOfThemReachTheRecipe) {
  Preprocessing evaluation;
  evaluation.mean = {0.1F, 0.2F, 0.3F};
  evaluation.std = {0.4F, 0.5F, 0.6F};
  const Recipe recipe = train_recipe(96, evaluation, kAll);
  EXPECT_EQ(recipe.size, 96);
  EXPECT_EQ(recipe.mean[2], 0.3F);
  EXPECT_EQ(recipe.std[0], 0.4F);
  EXPECT_EQ(recipe.scale[0], 0.25);
  EXPECT_EQ(recipe.scale[1], 0.75);
  EXPECT_EQ(recipe.flip_probability, 0.1 + 0.2);
  EXPECT_EQ(recipe.auto_augment, AutoAugment::kRandAugment);
  EXPECT_EQ(recipe.randaugment_ops, 3);
  EXPECT_EQ(recipe.randaugment_magnitude, 14);
  EXPECT_EQ(recipe.color_jitter.brightness, 0.4);
  EXPECT_EQ(recipe.color_jitter.contrast, 0.3);
  EXPECT_EQ(recipe.color_jitter.saturation, 1.5);
  EXPECT_EQ(recipe.color_jitter.hue, 0.1);
  EXPECT_EQ(recipe.erase_probability, 0.25);
  EXPECT_EQ(mix_options(kAll).mixup_alpha, 0.2);
  EXPECT_EQ(mix_options(kAll).cutmix_alpha, 1);
  EXPECT_NO_THROW(RecipeWorker{recipe});
  AugmentOptions trivial;
  trivial.auto_augment = "trivialaugment";
  EXPECT_EQ(train_recipe(96, evaluation, trivial).auto_augment, AutoAugment::kTrivialAugment);
}

TEST(AugmentOptions, AreReadFromACommandLine) {
  // From the last word to the first, as CLI11 takes them.
  const AugmentOptions o = options_of({"1", "--cutmix", "0.2", "--mixup", "0.25", "--random-erase", "0.4,0.3,1.5,0.1",
                                       "--color-jitter", "14", "--ra-magnitude", "3", "--ra-ops", "randaugment",
                                       "--auto-augment", "0.3", "--hflip", "0.25,0.75", "--crop-scale"});
  EXPECT_EQ(o.crop_scale, kAll.crop_scale);
  EXPECT_EQ(o.hflip, 0.3);
  EXPECT_EQ(o.auto_augment, kAll.auto_augment);
  EXPECT_EQ(o.ra_ops, kAll.ra_ops);
  EXPECT_EQ(o.ra_magnitude, kAll.ra_magnitude);
  EXPECT_EQ(o.color_jitter, kAll.color_jitter);
  EXPECT_EQ(o.random_erase, kAll.random_erase);
  EXPECT_EQ(o.mixup, kAll.mixup);
  EXPECT_EQ(o.cutmix, kAll.cutmix);
  EXPECT_EQ(describe(o),
            "crop 0.25 to 0.75, flip 0.3, randaugment 3 at 14, colour jitter 0.4 0.3 1.5 0.1, erase 0.25, mixup 0.2, "
            "cutmix 1");
  EXPECT_EQ(options_of({}).crop_scale, (std::vector<double>{0.08, 1}));
}

TEST(AugmentOptions, WhatCannotBeIsRefusedWithASentence) {
  EXPECT_EQ(augment_refusal(kAll, {"ra_ops", "ra_magnitude"}), "accepted");
  EXPECT_EQ(augment_refusal({.crop_scale = {0.5}}),
            "crop_scale 0.5: wanted low,high like 0.08,1, above 0 and at most 1");
  EXPECT_THAT(augment_refusal({.crop_scale = {0.5, 0.2}}), HasSubstr("crop_scale 0.5,0.2"));
  EXPECT_THAT(augment_refusal({.crop_scale = {0, 1}}), HasSubstr("crop_scale"));
  EXPECT_THAT(augment_refusal({.crop_scale = {0.5, 1.5}}), HasSubstr("crop_scale"));
  EXPECT_EQ(augment_refusal({.hflip = 1.5}), "hflip is 1.5: wanted 0 to 1");
  EXPECT_EQ(augment_refusal({.auto_augment = "augmix"}),
            "auto_augment augmix: wanted none, randaugment or trivialaugment");
  EXPECT_EQ(augment_refusal({.auto_augment = "trivialaugment"}, {"ra_magnitude"}),
            "ra_magnitude goes with auto_augment randaugment, not trivialaugment");
  EXPECT_EQ(augment_refusal({.ra_ops = 0}), "ra_ops is 0: wanted at least 1");
  EXPECT_EQ(augment_refusal({.ra_magnitude = 31}), "ra_magnitude is 31: wanted 0 to 30");
  EXPECT_THAT(augment_refusal({.color_jitter = {0.4, 0.4}}), HasSubstr("color_jitter has 2 numbers"));
  EXPECT_EQ(augment_refusal({.color_jitter = {0.4, -1, 0, 0}}),
            "color_jitter's contrast is -1: wanted a number from 0 up");
  EXPECT_EQ(augment_refusal({.color_jitter = {0, 0, 0, 0.6}}), "color_jitter's hue is 0.6: wanted 0 to 0.5");
  EXPECT_EQ(augment_refusal({.random_erase = -0.1}), "random_erase is -0.1: wanted 0 to 1");
  EXPECT_EQ(augment_refusal({.mixup = -1}), "mixup is -1: wanted a number from 0 up");
  EXPECT_EQ(augment_refusal({.cutmix = NAN}), "cutmix is nan: wanted a number from 0 up");
}

TEST(AugmentOptions, GoThroughTextToTheSameBits) {
  AugmentOptions read;
  for (const auto& option : augment_option_table()) {
    EXPECT_FALSE(option.may_change) << option.name;
    set_text(option.at(read), option.name, text_of(option, kAll));
    EXPECT_EQ(text_of(option, read), text_of(option, kAll));
  }
  EXPECT_EQ(read.crop_scale, kAll.crop_scale);
  EXPECT_EQ(read.hflip, kAll.hflip);
  EXPECT_EQ(read.auto_augment, kAll.auto_augment);
  EXPECT_EQ(read.ra_ops, kAll.ra_ops);
  EXPECT_EQ(read.ra_magnitude, kAll.ra_magnitude);
  EXPECT_EQ(read.color_jitter, kAll.color_jitter);
  EXPECT_EQ(read.random_erase, kAll.random_erase);
  EXPECT_EQ(read.mixup, kAll.mixup);
  EXPECT_EQ(read.cutmix, kAll.cutmix);
  for (const auto& option : augment_option_table())
    set_text(option.at(read), option.name, text_of(option, AugmentOptions{}));
  EXPECT_TRUE(read.color_jitter.empty());
}

TEST(AugmentOptions, HaveARowForEveryOption) {
  AugmentOptions options;
  CLI::App app;
  app.set_help_flag();
  add_augment_options(app, options);
  add_mix_options(app, options);
  std::set<std::string> offered, kept;
  for (const CLI::Option* option : app.get_options()) offered.insert(option->get_name());
  for (const auto& option : augment_option_table()) kept.insert(command_line_name(option.name, false));
  EXPECT_EQ(offered, kept);
}

TEST(AugmentOptions, TextThatIsNoValueCannotBeResumed) {
  AugmentOptions options;
  for (const auto& option : augment_option_table()) {
    if (option.name == "auto_augment") continue;
    EXPECT_THROW(set_text(option.at(options), option.name, "0.5x"), Error) << option.name;
  }
}

}  // namespace
}  // namespace resflow
