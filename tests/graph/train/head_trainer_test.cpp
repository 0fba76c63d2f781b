// Covers: graph/train/head_plan
#include "graph/train/head_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "graph/model/freeze.h"
#include "graph/plan/plan.h"
#include "graph/train/head_plan.h"
#include "io/core/error.h"
#include "tests/graph/cases.h"
#include "tests/graph/raw_file.h"
#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::kSide;

constexpr int64_t kHeadClasses = 5, kHeadBatch = 8;
const ModelDescription kHeadModel = {.architecture = "resnet18", .num_classes = kHeadClasses};

std::vector<float> features_of(Model& model, const std::vector<float>& pixels, int64_t rows) {
  Plan plan(model, {.batch = rows, .height = kSide, .width = kSide, .output = Output::kFeatures});
  const std::span<const float> features = plan.forward(pixels.data(), rows);
  return {features.begin(), features.end()};
}

// As pooled activations are: not negative.
std::vector<float> noise_features(int64_t rows, int64_t columns, uint64_t seed) {
  std::vector<float> values(static_cast<size_t>(rows * columns));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(std::abs(testing::noise(seed, i)));
  return values;
}

TEST(Features, AreWhatTheHeadReads) {
  const Compute compute(2);
  for (const char* architecture : {"resnet18", "resnet50"}) {
    Model model({.architecture = architecture, .num_classes = kHeadClasses}, compute);
    testing::settle(model);
    EXPECT_EQ(model.feature_count(), std::string(architecture) == "resnet18" ? 512 : 2048);
    const auto pixels = testing::noise_pixels(3, kSide, kSide);
    Plan whole(model, {.batch = 3, .height = kSide, .width = kSide});
    const std::span<const float> logits = whole.forward(pixels.data(), 3);
    const std::vector<float> features = features_of(model, pixels, 3);
    ASSERT_EQ(static_cast<int64_t>(features.size()), 3 * model.feature_count());
    HeadPlan head(model, 4);
    const std::span<const float> outputs = head.forward(features.data(), 3);
    float largest = 0;
    for (const float logit : logits) largest = std::max(largest, std::abs(logit));
    for (size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(outputs[i], logits[i], 1e-6 * largest) << "another batch sums in another order";
  }
}

TEST(Features, ATrainingPlanHasNone) {
  const Compute compute(1);
  Model model(kHeadModel, compute);
  testing::expect_error(ErrorKind::kInternal, {"not in features"}, [&] {
    const Plan plan(model,
                    {.batch = 2, .height = kSide, .width = kSide, .mode = Mode::kTrain, .output = Output::kFeatures});
  });
}

struct HeadTrainerCase {
  OptimizerOptions optimizer;
  LossOptions loss;
};

class HeadTrainerSteps : public ::testing::TestWithParam<HeadTrainerCase> {};

TEST_P(HeadTrainerSteps, GiveTorchsLosses) {
  constexpr int kSteps = 30;
  const auto& [optimizer, loss] = GetParam();
  const Compute compute(2);
  Model model(kHeadModel, compute);
  model.initialise(3);
  const testing::TemporaryFolder folder;
  const int64_t columns = model.feature_count();
  const auto features = noise_features(kSteps * kHeadBatch, columns, 9);
  const auto labels = testing::noise_labels(kSteps * kHeadBatch, kHeadClasses, 9);
  for (const char* name : {"weight", "bias"}) {
    const Array value = model.parameter(std::string("fc.") + name).value.export_to_array(compute);
    testing::write_raw<float>(folder / name, value.values<float>());
  }
  testing::write_raw<float>(folder / "features", features);
  testing::write_raw<int32_t>(folder / "labels", labels);
  const std::string output = testing::run_python(
      "graph/train/head_steps.py",
      {folder.path().string(), std::to_string(kHeadClasses), std::to_string(columns), std::to_string(kHeadBatch),
       std::to_string(kSteps), optimizer.name, fmt::format("{}", optimizer.lr), fmt::format("{}", loss.label_smoothing),
       loss.class_weights.empty() ? "0" : "1", fmt::format("{}", optimizer.weight_decay)});
  if (output.starts_with("absent")) GTEST_SKIP() << output;
  std::istringstream losses(output);

  HeadTrainer trainer(model, kHeadBatch, optimizer, loss);
  for (int step = 0; step < kSteps; ++step) {
    double wanted = 0;
    ASSERT_TRUE(losses >> wanted);
    const auto first = static_cast<size_t>(step * kHeadBatch);
    const StepResult result = trainer.step(features.data() + static_cast<int64_t>(first) * columns,
                                           std::span(labels).subspan(first, static_cast<size_t>(kHeadBatch)));
    EXPECT_NEAR(result.loss, wanted, 2e-5 * wanted) << "step " << step << ": f32 sums in another order";
  }
  EXPECT_EQ(trainer.steps(), kSteps);
}

INSTANTIATE_TEST_SUITE_P(
    All, HeadTrainerSteps,
    ::testing::Values(HeadTrainerCase{{.name = "adam", .lr = 1e-3}, {}},
                      HeadTrainerCase{{.name = "adamw", .lr = 1e-3, .weight_decay = 0.1},
                                      {.label_smoothing = 0.1, .class_weights = {1, 2, 3, 4, 5}}},
                      HeadTrainerCase{{.name = "sgd", .lr = 0.01, .momentum = 0.9, .weight_decay = 1e-3}, {}},
                      HeadTrainerCase{{.name = "rmsprop", .lr = 1e-3}, {.label_smoothing = 0.2, .class_weights = {}}}),
    [](const auto& info) { return info.param.optimizer.name; });

// With all but the head frozen a Trainer does the same, by way of the whole network.
TEST(HeadTrainer, TrainsAsTheFrozenNetworkDoes) {
  const Compute compute(2);
  Model frozen(kHeadModel, compute), alone(kHeadModel, compute);
  testing::settle(frozen);
  testing::settle(alone);
  const std::vector<NamedArray> before = alone.state();
  freeze(frozen, {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4"}, FreezeBatchNorm::kEval);
  const OptimizerOptions optimizer = {.name = "adam", .lr = 1e-2};
  Trainer whole(frozen, kHeadBatch, kSide, optimizer);
  HeadTrainer head(alone, kHeadBatch, optimizer);
  for (uint64_t step = 0; step < 5; ++step) {
    const auto pixels = testing::noise_pixels(kHeadBatch, kSide, kSide, step);
    const auto labels = testing::noise_labels(kHeadBatch, kHeadClasses, step);
    const auto features = features_of(alone, pixels, kHeadBatch);
    const StepResult a = whole.step(pixels.data(), labels), b = head.step(features.data(), labels);
    EXPECT_NEAR(a.loss, b.loss, 1e-5 * a.loss);
    EXPECT_EQ(a.correct, b.correct);
  }
  const std::vector<NamedArray> after = alone.state();
  for (size_t i = 0; i < after.size(); ++i)
    EXPECT_EQ(after[i].array == before[i].array, !after[i].name.starts_with("fc.")) << after[i].name;
}

TEST(HeadTrainer, GoesOnToTheSameBits) {
  const Compute compute(2);
  const OptimizerOptions optimizer = {.name = "adam", .lr = 1e-2};
  const auto run = [&](HeadTrainer& trainer, uint64_t from, uint64_t to) {
    for (uint64_t step = from; step < to; ++step) {
      const int64_t rows = step % 3 == 2 ? 5 : kHeadBatch;  // a smaller last batch
      trainer.step(noise_features(rows, 512, step).data(), testing::noise_labels(rows, kHeadClasses, step));
    }
  };
  Model whole(kHeadModel, compute), parts(kHeadModel, compute), rest(kHeadModel, compute);
  whole.initialise(1);
  parts.initialise(1);
  HeadTrainer uninterrupted(whole, kHeadBatch, optimizer);
  run(uninterrupted, 0, 9);
  HeadTrainer first(parts, kHeadBatch, optimizer);
  run(first, 0, 4);
  rest.load(parts.state());
  HeadTrainer second(rest, kHeadBatch, optimizer);
  second.load(first.state(), first.steps());
  run(second, 4, 9);
  for (const char* name : {"fc.weight", "fc.bias"})
    EXPECT_EQ(whole.parameter(name).value.export_to_array(compute),
              rest.parameter(name).value.export_to_array(compute));
  EXPECT_EQ(uninterrupted.steps(), second.steps());
}

TEST(HeadTrainer, EvaluatesTheHeadAsItIsNow) {
  const Compute compute(2);
  Model model(kHeadModel, compute);
  model.initialise(1);
  HeadTrainer trainer(model, kHeadBatch, {.name = "sgd", .lr = 0.1});
  const int64_t rows = 300;  // more than are evaluated at once
  const auto features = noise_features(rows, 512, 1);
  const auto labels = testing::noise_labels(rows, kHeadClasses, 1);
  const EvaluationSums before = trainer.evaluate(features.data(), labels);
  EXPECT_EQ(before.rows, rows);
  for (int i = 0; i < 40; ++i) trainer.step(features.data(), std::span(labels).first(kHeadBatch));
  const EvaluationSums learnt = trainer.evaluate(features.data(), std::span(labels).first(kHeadBatch));
  EXPECT_EQ(learnt.correct, kHeadBatch);
  const StepResult next = trainer.step(features.data(), std::span(labels).first(kHeadBatch));
  EXPECT_NEAR(learnt.loss(), next.loss, 1e-5) << "a step gives the loss of before it";
}

TEST(HeadTrainer, RefusesWhatCannotBe) {
  const Compute compute(1);
  Model model(kHeadModel, compute);
  model.initialise(1);
  HeadTrainer trainer(model, 4, {});
  const auto features = noise_features(5, 512, 1);
  const std::vector<NamedArray> before = model.state();
  const std::vector<int32_t> five(5), wrong = {0, 1, kHeadClasses, 0};
  testing::expect_error(ErrorKind::kInternal, {"5 rows"}, [&] { trainer.step(features.data(), five); });
  testing::expect_error(ErrorKind::kData, {"label 5"}, [&] { trainer.step(features.data(), wrong); });
  testing::expect_error(ErrorKind::kData, {"label 5"}, [&] { trainer.evaluate(features.data(), wrong); });
  EXPECT_EQ(trainer.steps(), 0);
  const std::vector<NamedArray> after = model.state();
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].array, before[i].array);
  testing::expect_error(ErrorKind::kUsage, {"batch is 0"}, [&] { const HeadTrainer none(model, 0, {}); });
}

}  // namespace
}  // namespace resflow
