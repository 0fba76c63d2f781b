// Covers: apps/options/config_file
#include "apps/train/options.h"
#include "apps/train/saved_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "io/core/error.h"

namespace resflow {
namespace {

std::string train_refusal(TrainOptions options) {
  try {
    resolve(options);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    return e.what();
  }
  return "accepted";
}

TEST(TrainOptions, DefaultsFitTheOptimizer) {
  TrainOptions adam, adamw, sgd, lars, lamb;
  adamw.optimizer = "adamw";
  sgd.optimizer = "sgd";
  lars.optimizer = "lars";
  lamb.optimizer = "lamb";
  for (TrainOptions* o : {&adam, &adamw, &sgd, &lars, &lamb}) resolve(*o);
  EXPECT_EQ(adam.lr, 1e-3);
  EXPECT_EQ(adam.weight_decay, 0);
  EXPECT_EQ(adamw.weight_decay, 1e-2);
  EXPECT_EQ(sgd.lr, 0.1);
  EXPECT_EQ(sgd.momentum, 0.9);
  EXPECT_EQ(sgd.weight_decay, 1e-4);
  EXPECT_EQ(sgd.clip_norm, 0);
  EXPECT_EQ(lars.lr, 1);
  EXPECT_EQ(lars.momentum, 0.9);
  EXPECT_EQ(lamb.weight_decay, 1e-2);
  EXPECT_EQ(lamb.clip_norm, 1);
  EXPECT_EQ(lamb.optimizer_options().eps, 1e-6);
  EXPECT_GE(adam.threads, 1);
}

// Goyal et al.: the rate grows with the update's pictures, after five epochs of warm-up.
TEST(TrainOptions, RatesAreScaledWithTheUpdate) {
  TrainOptions o = {.epochs = 90, .batch = 64, .scale_lr = 256, .accumulate = 8};
  o.optimizer = "sgd";
  resolve(o);
  EXPECT_DOUBLE_EQ(o.base_lr(), 0.2);
  EXPECT_DOUBLE_EQ(o.optimizer_options().lr, 0.2);
  EXPECT_DOUBLE_EQ(o.schedule_options().base, 0.2);
  EXPECT_EQ(o.warmup_epochs, 5);
  EXPECT_EQ(o.lr, 0.1);  // as given: a resumed run scales it once more

  TrainOptions short_run = {.epochs = 4, .batch = 512, .scale_lr = 256};
  resolve(short_run);
  EXPECT_EQ(short_run.warmup_epochs, 2);
  TrainOptions smaller = {.batch = 32, .scale_lr = 256};
  resolve(smaller);
  EXPECT_DOUBLE_EQ(smaller.base_lr(), 1e-3 / 8);
  EXPECT_EQ(smaller.warmup_epochs, 0);
  TrainOptions without = {.batch = 512, .scale_lr = 256, .warmup_epochs = 0, .given = {"warmup_epochs"}};
  resolve(without);
  EXPECT_EQ(without.warmup_epochs, 0);
  EXPECT_EQ(train_refusal({.scale_lr = -1}), "scale_lr is -1: wanted a number of pictures");
  EXPECT_EQ(train_refusal({.warmup_epochs = -2, .given = {"warmup_epochs"}}), "warmup_epochs is -2: wanted at least 0");
}

TEST(TrainOptions, WhatCannotBeIsRefusedWithASentence) {
  EXPECT_EQ(train_refusal({.epochs = -1}), "epochs is -1: wanted at least 0");
  EXPECT_EQ(train_refusal({.batch = 0}), "batch is 0: wanted at least 1");
  EXPECT_EQ(train_refusal({.image_size = 31}), "image_size is 31: wanted at least 32");
  EXPECT_EQ(train_refusal({.optimizer = "lion"}), "optimizer lion: wanted adam, adamw, sgd, rmsprop, lars, lamb");
  EXPECT_EQ(train_refusal({.label_smoothing = 1}), "label_smoothing is 1: wanted 0 or more and less than 1");
  EXPECT_EQ(train_refusal({.lr = -1, .given = {"lr"}}), "lr is -1: wanted a number from 0 up");
  EXPECT_EQ(train_refusal({.threads = 0, .given = {"threads"}}), "threads is 0: wanted at least 1");
  EXPECT_EQ(train_refusal({.momentum = 0.9, .given = {"momentum"}}),
            "momentum goes with optimizer sgd or rmsprop or lars, not adam");
  EXPECT_EQ(train_refusal({.lr = -5}), "lr is -5: wanted a number from 0 up");
  EXPECT_EQ(train_refusal({.lr = std::nan("")}), "lr is nan: wanted a number from 0 up");
  EXPECT_EQ(train_refusal({.threads = -3}), "threads is -3: wanted at least 1");
  EXPECT_EQ(train_refusal({.epochs = int64_t{1} << 62}), "epochs is 4611686018427387904: wanted at most 1000000000");
  EXPECT_EQ(train_refusal({.strict = true}), "strict goes with resume");
  EXPECT_EQ(train_refusal({.on_error = "ignore"}), "on_error ignore: wanted skip or stop");
  EXPECT_THAT(train_refusal({.model = "resnet19"}), ::testing::HasSubstr("resnet18, resnet34"));
}

TEST(TrainOptions, AResumedRunTakesOverWhatIsNotGiven) {
  TrainOptions began = {.epochs = 7,
                        .batch = 6,
                        .seed = 18446744073709551615U,
                        .threads = 3,
                        .optimizer = "sgd",
                        .lr = 0.1 + 0.2,
                        .nesterov = true};
  resolve(began);
  TrainOptions resumed = {.epochs = 9, .given = {"epochs"}};
  adopt_saved(resumed, saved_options(began));
  EXPECT_EQ(resumed.batch, 6);
  EXPECT_EQ(resumed.seed, 18446744073709551615U);
  EXPECT_EQ(resumed.threads, 3);
  EXPECT_EQ(resumed.optimizer, "sgd");
  EXPECT_EQ(resumed.lr, 0.1 + 0.2);  // to the bit
  EXPECT_EQ(resumed.momentum, 0.9);
  EXPECT_TRUE(resumed.nesterov);
  EXPECT_EQ(resumed.epochs, 9);
}

TEST(TrainOptions, AResumedRunRefusesOtherOptionsByName) {
  TrainOptions began;
  resolve(began);
  TrainOptions resumed = {.batch = 16, .seed = 0, .lr = 0.5, .given = {"batch", "seed", "lr"}};
  try {
    adopt_saved(resumed, saved_options(began));
    FAIL() << "other options were accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("batch was 32, now 16; lr was 0.001, now 0.5;"));
    EXPECT_THAT(e.what(), ::testing::Not(::testing::HasSubstr("seed")));
  }
}

}  // namespace
}  // namespace resflow
