#include "graph/model/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/core/error.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const ModelDescription kOfFiveClasses = {.architecture = "resnet18", .num_classes = 5};

NamedArray& array_named(std::vector<NamedArray>& state, const std::string& name) {
  return *std::find_if(state.begin(), state.end(), [&](const NamedArray& a) { return a.name == name; });
}

std::string error_of_loading(Model& model, const std::vector<NamedArray>& values) {
  try {
    model.load(values);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return error.what();
  }
  return "no error";
}

TEST(Model, StateRoundTripIsEqualToTheBit) {
  const Compute compute(1);
  Model a(kOfFiveClasses, compute), b(kOfFiveClasses, compute);
  testing::settle(a);
  a.parameter("bn1.num_batches_tracked").count = (int64_t{1} << 40) + 1;
  b.load(a.state());
  const auto before = a.state(), after = b.state();
  ASSERT_EQ(before.size(), 122U);  // torchvision's state_dict
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].name, after[i].name);
    EXPECT_EQ(before[i].array, after[i].array) << before[i].name;
  }
}

TEST(Model, CountsLearntElementsOnly) {
  const Compute compute(1);
  EXPECT_EQ(Model({.architecture = "resnet18"}, compute).parameter_count(), 11'689'512);
}

TEST(Model, InitialiseGivesTheSameForOneAndTwoThreads) {
  const Compute one(1), two(2);
  Model a(kOfFiveClasses, one), b(kOfFiveClasses, two);
  a.initialise(9);
  b.initialise(9);
  const auto x = a.state(), y = b.state();
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i].array, y[i].array) << x[i].name;
}

TEST(Model, LoadListsEveryNameThatDoesNotMatchAndChangesNothing) {
  const Compute compute(1);
  Model model(kOfFiveClasses, compute);
  model.initialise(1);
  const auto before = model.state();
  auto values = Model({.architecture = "resnet18", .num_classes = 7}, compute).state();
  std::erase_if(values, [](const NamedArray& a) { return a.name == "conv1.weight" || a.name == "bn1.bias"; });
  values.push_back({"extra.weight", Array(DType::kF32, {2})});
  array_named(values, "bn1.num_batches_tracked").array = Array(DType::kF32, {});
  const std::string sentence = error_of_loading(model, values);
  for (const char* part : {"missing: conv1.weight, bn1.bias", "unexpected: extra.weight",
                           "fc.weight has f32 (7,512), model wants f32 (5,512)", "fc.bias has f32 (7)",
                           "bn1.num_batches_tracked has f32", "resnet18 with 5 classes"})
    EXPECT_THAT(sentence, HasSubstr(part));
  EXPECT_THAT(sentence, Not(HasSubstr("layer1")));
  const auto after = model.state();
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].array, after[i].array);
}

TEST(Model, LoadRefusesANameThatComesTwice) {
  const Compute compute(1);
  Model model(kOfFiveClasses, compute);
  auto values = model.state();
  values.push_back(values.front());
  EXPECT_THAT(error_of_loading(model, values), HasSubstr("unexpected: conv1.weight"));
}

// As torchvision's older files are.
TEST(Model, LoadTakesAbsentCountsOfBatchesAsZero) {
  const Compute compute(1);
  Model model(kOfFiveClasses, compute);
  testing::settle(model);
  auto values = model.state();
  model.parameter("bn1.num_batches_tracked").count = 3;
  model.parameter("layer4.1.bn2.num_batches_tracked").count = 5;
  std::erase_if(values, [](const NamedArray& a) { return a.name == "bn1.num_batches_tracked"; });
  model.load(values);
  EXPECT_EQ(model.parameter("bn1.num_batches_tracked").count, 0);
  EXPECT_EQ(model.parameter("layer4.1.bn2.num_batches_tracked").count,
            array_named(values, "layer4.1.bn2.num_batches_tracked").array.values<int64_t>()[0]);
}

TEST(Model, ParameterOfAnotherNameIsAnError) {
  const Compute compute(1);
  EXPECT_THROW(Model(kOfFiveClasses, compute).parameter("conv9.weight"), Error);
}

}  // namespace
}  // namespace resflow
