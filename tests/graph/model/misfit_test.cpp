#include "graph/model/misfit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "graph/model/model_zoo.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<TensorEntry> tensors_behind(const std::string& architecture, const std::string& prefix = "") {
  std::vector<TensorEntry> tensors;
  for (const ParameterSpec& spec : build_model({.architecture = architecture}).parameters())
    tensors.push_back({prefix + spec.name, spec.dtype, spec.dims});
  return tensors;
}

TensorEntry& tensor_at(std::vector<TensorEntry>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorEntry& t) { return t.name == name; });
}

std::string misfit_of(std::vector<TensorEntry> tensors) {
  const std::vector<TensorGroup> groups = {{.key = "", .tensors = std::move(tensors)}};
  EXPECT_TRUE(find_models(groups).empty());
  const auto nearest = nearest_model(groups);
  return nearest ? describe_misfit(*nearest) : "a stranger";
}

TEST(Misfit, IsTheNearestModelByWhatIsThereBehindItsPrefix) {
  std::vector<TensorEntry> tensors = tensors_behind("resnet50", "model.");
  std::erase_if(tensors, [](const auto& t) { return t.name == "model.fc.bias"; });
  tensor_at(tensors, "model.bn1.weight").dims = {32};
  tensors.push_back({"model.layer1.0.se.weight", DType::kF32, {2}});
  tensors.push_back({"criterion.weight", DType::kF32, {2}});
  EXPECT_EQ(misfit_of(tensors),
            "is resnet50 with 1,000 classes, behind 'model.', but for 3 of 320 tensors: missing: fc.bias; unexpected: "
            "layer1.0.se.weight; misshapen: bn1.weight has f32 (32), model wants f32 (64)");
}

TEST(Misfit, OfAFileThatEndsEarlyIsNotTheModelThatMissesFewest) {
  // 366 of resnet101's tensors are missing, and of resnet18's 122 far fewer.
  std::vector<TensorEntry> tensors = tensors_behind("resnet101");
  tensors.resize(260);
  EXPECT_THAT(misfit_of(tensors), HasSubstr("resnet101"));
}

TEST(Misfit, NamesTheHeadTheDtypesAndTheStages) {
  std::vector<TensorEntry> head = tensors_behind("resnet18");
  std::erase_if(head, [](const auto& t) { return t.name.starts_with("fc."); });
  for (const char* name : {"fc.0.weight", "fc.0.bias", "fc.2.weight", "fc.2.bias"})
    head.push_back({name, DType::kF32, {512}});
  EXPECT_THAT(misfit_of(head),
              StartsWith("is resnet18 with 1,000 classes but for its head: missing: fc.weight, fc.bias; "
                         "unexpected: fc.0.weight, fc.0.bias, fc.2.weight, fc.2.bias"));

  std::vector<TensorEntry> bytes = tensors_behind("resnet18");
  tensor_at(bytes, "conv1.weight").dtype = DType::kU8;
  EXPECT_THAT(misfit_of(bytes), HasSubstr("but for 1 of 122 tensors, whose dtypes are none of weights: misshapen: "
                                          "conv1.weight has u8 (64,3,7,7), model wants f32 (64,3,7,7)"));

  std::vector<TensorEntry> stages = tensors_behind("resnet18");
  stages.push_back({"layer5.0.conv1.weight", DType::kF32, {512, 512, 3, 3}});
  EXPECT_THAT(misfit_of(stages), HasSubstr("and has 5 stages where resnet18 has 4: unexpected: layer5.0.conv1.weight"));
}

TEST(Misfit, OfManyNamesTheFirstFewAreSaid) {
  std::vector<TensorEntry> tensors = tensors_behind("resnet18");
  std::erase_if(tensors, [](const auto& t) { return t.name.starts_with("layer2.0."); });
  const std::string sentence = misfit_of(tensors);
  EXPECT_THAT(sentence, HasSubstr("but for 15 of 122 tensors: missing: layer2.0.conv1.weight, "));
  EXPECT_THAT(sentence, HasSubstr(" and 10 more"));
  EXPECT_LT(sentence.size(), 300U);
}

TEST(Misfit, WhatHasNoNameOfAResNetIsNone) {
  const std::vector<TensorGroup> groups = {
      {.key = "",
       .tensors = {{"cls_token", DType::kF32, {1, 1, 768}}, {"blocks.0.attn.qkv.weight", DType::kF32, {2304, 768}}}}};
  EXPECT_FALSE(nearest_model(groups));
  EXPECT_EQ(describe_stranger(150), "is no ResNet: none of its 150 names is one of ours");
  EXPECT_EQ(describe_stranger(0), "holds no tensors");
}

}  // namespace
}  // namespace resflow
