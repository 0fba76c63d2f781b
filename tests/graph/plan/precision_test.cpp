// Whole networks in bf16 and in 8 bits beside f32.
//
// Covers: graph/plan/calibration
#include "ops/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/plan/calibration.h"
#include "graph/plan/plan.h"
#include "graph/train/trainer.h"
#include "io/core/error.h"
#include "ops/kernels/winograd.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::kSide;
using ::testing::Not;

constexpr int64_t kPatterns = 4;

// Pictures of class n % kPatterns: its pattern of large squares, dimmed, in noise.
std::vector<float> patterned_pixels(int64_t batch, uint64_t seed) {
  std::vector<float> pixels = testing::noise_pixels(batch, kSide, kSide, seed);
  constexpr int64_t kSquare = 8;
  for (size_t i = 0; i < pixels.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t x = at % kSide / kSquare, y = at / kSide % kSide / kSquare, n = at / (kSide * kSide * 3);
    const double pattern =
        testing::noise(1000 + static_cast<uint64_t>(n % kPatterns), static_cast<uint64_t>(y * 8 + x));
    pixels[i] = 0.5F * pixels[i] + static_cast<float>(pattern);
  }
  return pixels;
}

std::vector<int32_t> patterned_labels(int64_t batch) {
  std::vector<int32_t> labels(static_cast<size_t>(batch));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % kPatterns);
  return labels;
}

// A network that has learnt a little: random ones say the same of every picture.
void train_a_moment(Model& model) {
  constexpr int64_t kBatch = 16;
  model.initialise(1);
  Trainer trainer(model, kBatch, kSide, {.name = "adam", .lr = 1e-3});
  for (uint64_t step = 0; step < 12; ++step)
    trainer.step(patterned_pixels(kBatch, 100 + step).data(), patterned_labels(kBatch));
}

PlanOptions eval(Precision precision, int64_t batch) {
  return {.batch = batch, .height = kSide, .width = kSide, .mode = Mode::kEval, .precision = precision};
}

std::vector<float> logits(Model& model, Precision precision, const std::vector<float>& pixels, int64_t batch) {
  Plan plan(model, eval(precision, batch));
  const auto output = plan.forward(pixels.data(), batch);
  return {output.begin(), output.end()};
}

void calibrate(Model& model, uint64_t seed = 50) {
  constexpr int64_t kBatch = 8;
  Calibrator calibrator(model, kBatch, kSide, kSide);
  for (uint64_t i = 0; i < 4; ++i) calibrator.observe(patterned_pixels(kBatch, seed + i).data(), kBatch);
  model.set_quantization(calibrator.result());
}

struct Difference {
  double largest = 0;  // relative to the largest logit
  double agreement = 0;
};

Difference compare(const std::vector<float>& a, const std::vector<float>& b, int64_t rows) {
  Difference difference;
  double largest = 0;
  const size_t classes = a.size() / static_cast<size_t>(rows);
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    difference.largest = std::max(difference.largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  difference.largest /= largest;
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
    const auto best = [&](const std::vector<float>& v) {
      const auto begin = v.begin() + static_cast<std::ptrdiff_t>(row * classes);
      return std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes)) - begin;
    };
    difference.agreement += best(a) == best(b) ? 1 : 0;
  }
  difference.agreement /= static_cast<double>(rows);
  return difference;
}

TEST(Precision, ATrainedNetworkSaysTheSame) {
  const Compute compute(2);
  constexpr int64_t kRows = 64;
  const std::vector<float> pixels = patterned_pixels(kRows, 7);
  for (const char* architecture : {"resnet18", "resnet50"}) {
    SCOPED_TRACE(architecture);
    Model model({.architecture = architecture, .num_classes = kPatterns}, compute);
    train_a_moment(model);
    calibrate(model);
    const std::vector<float> f32 = logits(model, Precision::kF32, pixels, kRows);
    const Difference bf16 = compare(logits(model, Precision::kBf16, pixels, kRows), f32, kRows);
    const Difference int8 = compare(logits(model, Precision::kInt8, pixels, kRows), f32, kRows);
    RecordProperty(std::string(architecture) + "_bf16", std::to_string(bf16.largest));
    RecordProperty(std::string(architecture) + "_int8", std::to_string(int8.largest));
    // Some layers' roundings of 2^-9 and of 1/255 of the range, which partly cancel.
    EXPECT_LE(bf16.largest, 0.03);
    EXPECT_LE(int8.largest, 0.1);
    EXPECT_GE(bf16.agreement, 0.98);
    EXPECT_GE(int8.agreement, 0.95);
    // They do compute in fewer digits.
    EXPECT_GT(bf16.largest, 1e-5);
    EXPECT_GT(int8.largest, bf16.largest);
  }
}

TEST(Precision, EveryArchitectureRuns) {
  const Compute compute(2);
  const std::vector<float> pixels = patterned_pixels(2, 7);
  const std::vector<ModelDescription> models = {
      {.architecture = "resnext50_32x4d", .num_classes = kPatterns},
      {.architecture = "wide_resnet50_2", .num_classes = kPatterns},
      {.architecture = "resnet50", .num_classes = kPatterns, .replace_stride_with_dilation = {false, true, true}}};
  for (const ModelDescription& description : models) {
    SCOPED_TRACE(description.architecture);
    Model model(description, compute);
    testing::settle(model);
    calibrate(model, 7);
    const std::vector<float> f32 = logits(model, Precision::kF32, pixels, 2);
    EXPECT_LE(compare(logits(model, Precision::kBf16, pixels, 2), f32, 2).largest, 0.03);
    EXPECT_LE(compare(logits(model, Precision::kInt8, pixels, 2), f32, 2).largest, 0.15);
  }
}

TEST(Precision, EdgesHoldWhatIsAskedFor) {
  const Compute compute(2);
  Model model({.architecture = "resnet50", .num_classes = kPatterns}, compute);
  testing::settle(model);
  calibrate(model);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    if (const std::string obstacle = precision_obstacle(precision); !obstacle.empty()) GTEST_SKIP() << obstacle;
    const Plan plan(model, eval(precision, 4));
    int convolutions = 0, reorders = 0, winograd = 0;
    for (const Plan::Row& row : plan.rows()) {
      SCOPED_TRACE(row.name + " " + row.kind);
      reorders += row.kind == "reorder" ? 1 : 0;
      if (!row.kind.starts_with("conv")) continue;
      ++convolutions;
      EXPECT_THAT(row.implementation, Not(HasSubstr("ref")));
      winograd += row.implementation.starts_with("winograd") ? 1 : 0;
      const bool relu = row.kind.ends_with("relu");
      EXPECT_THAT(row.dst, HasSubstr(precision == Precision::kBf16 ? " bf16" : relu ? " u8" : " s8"));
    }
    EXPECT_EQ(convolutions, 53);
    EXPECT_LE(reorders, 2);  // of the pixels, and for the global average pool
    // Of pictures as small as these the first three alone have tiles enough.
    const bool wins = winograd::best_kernels() != nullptr && !bf16_has_tiles();
    EXPECT_EQ(winograd, precision == Precision::kBf16 && wins ? 3 : 0);
  }
}

TEST(Precision, FewerRowsAndOtherParametersAreFollowed) {
  const Compute compute(2);
  Model model({.architecture = "resnet18", .num_classes = kPatterns}, compute);
  testing::settle(model);
  calibrate(model);
  const std::vector<float> pixels = patterned_pixels(3, 7);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    Plan plan(model, eval(precision, 3));
    const auto all = plan.forward(pixels.data(), 3);
    const std::vector<float> first(all.begin(), all.begin() + kPatterns);
    const auto one = plan.forward(pixels.data(), 1);
    EXPECT_EQ(std::vector<float>(one.begin(), one.begin() + kPatterns), first);

    std::vector<NamedArray> state = model.state();
    for (NamedArray& value : state)
      if (value.name == "layer4.1.bn2.weight")
        for (float& x : value.array.values<float>()) x *= 0.5F;
    model.load(state);
    const auto changed = plan.forward(pixels.data(), 1);
    EXPECT_NE(std::vector<float>(changed.begin(), changed.begin() + kPatterns), first);
  }
}

TEST(Precision, RangesAreThoseOfTheValues) {
  const Compute compute(2);
  Model model({.architecture = "resnet18", .num_classes = kPatterns}, compute);
  testing::settle(model);
  Calibrator calibrator(model, 4, kSide, kSide);
  EXPECT_THROW(calibrator.result(), Error);
  const std::vector<float> pixels = patterned_pixels(4, 7);
  calibrator.observe(pixels.data(), 3);
  const Quantization quantization = calibrator.result();
  EXPECT_EQ(quantization.pictures, 3);
  ASSERT_EQ(quantization.activations.size(), 21U);  // the input, 17 convolutions and 3 projections
  const auto [low, high] =
      std::minmax_element(pixels.begin(), pixels.begin() + static_cast<std::ptrdiff_t>(pixels.size() / 4 * 3));
  EXPECT_EQ(quantization.activations[0], (ActivationRange{"input", *low, *high}));
  for (const ActivationRange& range : quantization.activations) {
    const bool signed_edge = range.name == "input" || range.name.ends_with("downsample.0");
    EXPECT_EQ(range.low < 0, signed_edge) << range.name;
    EXPECT_GT(range.high, 0) << range.name;
  }
  // More pictures only widen them.
  calibrator.observe(patterned_pixels(4, 8).data(), 4);
  const Quantization more = calibrator.result();
  EXPECT_EQ(more.pictures, 7);
  for (size_t i = 0; i < more.activations.size(); ++i) {
    EXPECT_LE(more.activations[i].low, quantization.activations[i].low);
    EXPECT_GE(more.activations[i].high, quantization.activations[i].high);
  }
}

TEST(Precision, RefusesWhatCannotBe) {
  const Compute compute(1);
  Model model({.architecture = "resnet18", .num_classes = kPatterns}, compute);
  model.initialise(1);
  const auto message = [&](const PlanOptions& options) -> std::string {
    try {
      const Plan plan(model, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_THAT(message(eval(Precision::kInt8, 1)), HasSubstr("not quantized"));
  Quantization quantization{.pictures = 1, .activations = {{"input", -1, 1}, {"conv1", 0, 1}}};
  model.set_quantization(quantization);
  EXPECT_THAT(message(eval(Precision::kInt8, 1)), HasSubstr("layer1.0.conv1"));

  Calibrator calibrator(model, 1, kSide, kSide);
  std::vector<float> pixels = patterned_pixels(1, 1);
  pixels[5] = std::numeric_limits<float>::infinity();
  calibrator.observe(pixels.data(), 1);
  EXPECT_THROW(calibrator.result(), Error);
}

}  // namespace
}  // namespace resflow
