#include "graph/model/freeze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/train/trainer.h"
#include "io/core/error.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::kSide;

constexpr int64_t kFreezeClasses = 5;
const ModelDescription kFreezeModel = {.architecture = "resnet18", .num_classes = kFreezeClasses};

bool begins_with_one_of(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& p) { return name.starts_with(p + "."); });
}

TEST(Freeze, TakesModulesParametersAndShellPatterns) {
  const Compute compute(1);
  Model model(kFreezeModel, compute);
  EXPECT_EQ(freeze(model, {"conv1", "fc.bias"}, FreezeBatchNorm::kEval),
            (std::vector<std::string>{"conv1.weight", "fc.bias"}));
  const auto norms = freeze(model, {"*.bn2"}, FreezeBatchNorm::kEval);
  EXPECT_EQ(norms.size(), 8U * 2);  // weight and bias of a block's second batch norm
  EXPECT_TRUE(model.parameter("layer4.1.bn2.running_var").frozen);
  EXPECT_FALSE(model.parameter("conv1.weight").frozen) << "thawed by the second call";
  freeze(model, {"layer1"}, FreezeBatchNorm::kTrain);
  EXPECT_FALSE(model.parameter("layer1.0.bn1.running_var").frozen);
  EXPECT_FALSE(model.parameter("layer4.1.bn2.running_var").frozen);
}

TEST(Freeze, RefusesWhatMatchesNothingAndWhatLeavesNothing) {
  const Compute compute(1);
  Model model(kFreezeModel, compute);
  const auto error_of = [&](const std::vector<std::string>& patterns) -> std::string {
    try {
      freeze(model, patterns, FreezeBatchNorm::kEval);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of({"layer1", "layer9"}), HasSubstr("'layer9'"));
  EXPECT_THAT(error_of({"layer"}), HasSubstr("conv1, bn1, layer1, layer2, layer3, layer4, fc"));
  EXPECT_THAT(error_of({"*"}), HasSubstr("something left to train"));
  for (const auto& parameter : model.parameters()) EXPECT_FALSE(parameter->frozen) << parameter->name;
}

// Steps of training with everything but layer4 and the head frozen.
TEST(Freeze, FrozenTensorsKeepTheirBitsAndTheOthersLearn) {
  const std::vector<std::string> patterns = {"conv1", "bn1", "layer1", "layer2", "layer3"};
  const Compute compute(2);
  Model model(kFreezeModel, compute);
  testing::settle(model);
  freeze(model, patterns, FreezeBatchNorm::kEval);
  const auto before = model.state();
  Trainer trainer(model, 6, kSide, {.name = "sgd", .lr = 0.05});
  for (uint64_t step = 0; step < 3; ++step)
    for (const int64_t rows : {6, 3})  // a smaller last batch has a plan of its own
      trainer.step(testing::noise_pixels(rows, kSide, kSide, step).data(),
                   testing::noise_labels(rows, kFreezeClasses, step));
  const auto after = model.state();
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(before[i].array == after[i].array, begins_with_one_of(before[i].name, patterns)) << before[i].name;
}

TEST(Freeze, AFrozenPrefixKeepsNoActivations) {
  const Compute compute(2);
  Model whole(kFreezeModel, compute), part(kFreezeModel, compute);
  whole.initialise(1);
  part.initialise(1);
  freeze(part, {"conv1", "bn1", "layer1", "layer2", "layer3"}, FreezeBatchNorm::kEval);
  const Trainer all(whole, 8, 128, {}), last(part, 8, 128, {});
  EXPECT_LT(last.memory().activations * 2, all.memory().activations);
}

// The prefix holds folded copies: they follow values that are loaded after the plan was made.
TEST(Freeze, AFrozenPrefixFollowsValuesThatAreLoaded) {
  const Compute compute(2);
  const auto pixels = testing::noise_pixels(4, kSide, kSide);
  const auto labels = testing::noise_labels(4, kFreezeClasses);
  Model first(kFreezeModel, compute), second(kFreezeModel, compute);
  testing::settle(first, 1);
  testing::settle(second, 2);
  for (Model* model : {&first, &second}) freeze(*model, {"conv1", "bn1", "layer1"}, FreezeBatchNorm::kEval);
  Trainer trainer(first, 4, kSide, {.name = "sgd", .lr = 0}), wanted(second, 4, kSide, {.name = "sgd", .lr = 0});
  const double before = trainer.step(pixels.data(), labels).loss;
  first.load(second.state());
  const double after = trainer.step(pixels.data(), labels).loss;
  EXPECT_NE(after, before);
  EXPECT_EQ(after, wanted.step(pixels.data(), labels).loss);
}

}  // namespace
}  // namespace resflow
