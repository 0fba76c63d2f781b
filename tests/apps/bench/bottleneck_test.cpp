#include "apps/bench/bottleneck.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A pipeline whose model takes most of the time.
PipelineRates rates() {
  return {.read = 50000,
          .decode = 1600,
          .resize = 8000,
          .normalize = 40000,
          .loader = 1250,
          .model = 66,
          .together = 62,
          .of_peak = 0.9,
          .threads = 2,
          .batch = 32,
          .train = false,
          .least_threads = 1,
          .loader_speedup = 1.98,
          .model_speedup = 1.9};
}

TEST(Bottleneck, TheModelWhereItTakesMostOfTheTime) {
  const Bottleneck found = find_bottleneck(rates());
  EXPECT_EQ(found.part, "model");
  EXPECT_EQ(
      found.sentence,
      "The model holds it back: 62.0 img/s of the 66.0 that it reaches alone, as loading takes 5 % of the time; at "
      "90 % of what a plain product reaches here in f32, so faster needs bf16 or int8, a smaller model or more "
      "cores (2 threads do 1.90 times the work of 1).");
}

TEST(Bottleneck, WhatItTakesDependsOnWhatWasSeen) {
  PipelineRates r = rates();
  r.train = true;
  EXPECT_THAT(find_bottleneck(r).sentence, Not(HasSubstr("int8")));
  r.model_speedup = 1.1;
  EXPECT_THAT(find_bottleneck(r).sentence, HasSubstr("more cores help little (2 threads do 1.10 times the work of 1)"));
  r.of_peak = 0.3;
  EXPECT_THAT(find_bottleneck(r).sentence, Not(HasSubstr("--batch")));
  r.batch = 2;
  EXPECT_THAT(find_bottleneck(r).sentence, HasSubstr("a larger --batch than 2"));
  r.of_peak = 1.2;
  EXPECT_THAT(find_bottleneck(r).sentence, HasSubstr("by Winograd it is past"));
  r.threads = 1;
  EXPECT_THAT(find_bottleneck(r).sentence, Not(HasSubstr("threads do")));
}

TEST(Bottleneck, TheSlowestStageWhereLoadingTakesMoreThanTheModel) {
  PipelineRates r = rates();
  r.model = 5000;
  r.together = 960;
  EXPECT_EQ(find_bottleneck(r).part, "decode");
  EXPECT_THAT(find_bottleneck(r).sentence,
              HasSubstr("Loading holds it back: 960 img/s where the model alone does 5000, "
                        "and decoding is 79 % of loading"));
  r.read = 100;
  EXPECT_EQ(find_bottleneck(r).part, "read");
  r.read = 50000;
  r.resize = 1000;
  EXPECT_EQ(find_bottleneck(r).part, "resize");
  r.normalize = 500;
  EXPECT_EQ(find_bottleneck(r).part, "normalize");
}

TEST(Bottleneck, TheHandOverWhereBothAloneAreMuchFaster) {
  PipelineRates r = rates();
  r.together = 45;  // of 62.7
  const Bottleneck found = find_bottleneck(r);
  EXPECT_EQ(found.part, "hand-over");
  EXPECT_THAT(found.sentence, HasSubstr("45.0 img/s of the 62.7"));
}

}  // namespace
}  // namespace resflow
