#include "apps/model/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/expect_error.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

TEST(PrecisionByName, IsOneOfThree) {
  EXPECT_EQ(checked_precision({.name = "f32"}), Precision::kF32);
  EXPECT_EQ(checked_precision({.name = "int8"}), Precision::kInt8);
  EXPECT_EQ(checked_precision({.name = "bf16", .force = true}), Precision::kBf16);
  expect_error(ErrorKind::kUsage, {"precision f16: wanted f32, bf16 or int8"},
               [] { checked_precision({.name = "f16"}); });
  expect_error(ErrorKind::kUsage, {"force_precision: is about precision bf16, not f32"},
               [] { checked_precision({.name = "f32", .force = true}); });
}

TEST(PrecisionByName, Bf16IsRefusedWhereItIsNoFaster) {
  if (precision_obstacle(Precision::kBf16).empty()) {
    EXPECT_EQ(checked_precision({.name = "bf16"}), Precision::kBf16);
    return;
  }
  expect_error(ErrorKind::kUsage, {"precision bf16: ", "force_precision runs it all the same"},
               [] { checked_precision({.name = "bf16"}); });
}

TEST(PrecisionByName, TrainingKnowsF32AndBf16) {
  EXPECT_EQ(training_precision({.name = "f32"}), Precision::kF32);
  expect_error(ErrorKind::kUsage, {"precision int8: wanted f32 or bf16"}, [] { training_precision({.name = "int8"}); });
  expect_error(ErrorKind::kUsage, {"precision f16: wanted f32 or bf16"}, [] { training_precision({.name = "f16"}); });
}

TEST(PrecisionByName, WhatIsNoFasterIsWarnedOf) {
  HeardSentences heard;
  EXPECT_EQ(resolve_precision({.name = "f32"}, heard), Precision::kF32);
  EXPECT_EQ(resolve_training_precision({.name = "f32"}, heard), Precision::kF32);
  EXPECT_EQ(heard.warnings(), "");
  resolve_precision({.name = "bf16", .force = true}, heard);
  if (const std::string obstacle = precision_obstacle(Precision::kBf16); obstacle.empty())
    EXPECT_EQ(heard.warnings(), "");
  else
    EXPECT_THAT(heard.warnings(), HasSubstr("precision bf16: " + obstacle));
}

TEST(PrecisionByName, Int8NeedsAQuantizedModel) {
  const Compute compute(1);
  TrainedModel trained;
  trained.model = std::make_unique<Model>(ModelDescription{.architecture = "resnet18", .num_classes = 2}, compute);
  EXPECT_NO_THROW(require_quantized(trained, Precision::kF32, "m.pth"));
  expect_error(ErrorKind::kUsage, {"precision int8: m.pth is not quantized"},
               [&] { require_quantized(trained, Precision::kInt8, "m.pth"); });
  trained.model->set_quantization(Quantization{});
  EXPECT_NO_THROW(require_quantized(trained, Precision::kInt8, "m.pth"));
}

}  // namespace
}  // namespace resflow::testing
