// Covers: graph/model/tensor_names
#include "graph/model/find_model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/model/model_zoo.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Rename = std::function<std::string(const std::string&)>;

// A model's tensors under other names; those with an empty one are left away.
std::vector<TensorEntry> tensors_as(const Rename& rename, const std::string& architecture = "resnet18") {
  std::vector<TensorEntry> tensors;
  for (const ParameterSpec& spec : build_model({.architecture = architecture, .num_classes = 4}).parameters()) {
    const std::string name = rename(spec.name);
    if (!name.empty()) tensors.push_back({name, spec.dtype, spec.dims});
  }
  return tensors;
}

Rename behind(const std::string& prefix) {
  return [prefix](const std::string& name) { return prefix + name; };
}
bool is_head(const std::string& name) { return name.starts_with("fc."); }

std::vector<TensorEntry> joined(std::vector<TensorEntry> a, const std::vector<TensorEntry>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The one model of the tensors, which is a whole resnet18 of 4 classes.
FoundModel only_model(const std::vector<TensorEntry>& tensors) {
  const std::vector<TensorGroup> groups = {{.key = "", .tensors = tensors}};
  const std::vector<FoundModel> found = find_models(groups);
  EXPECT_EQ(found.size(), 1U);
  if (found.empty()) return {};
  EXPECT_EQ(found[0].match.description, (ModelDescription{.architecture = "resnet18", .num_classes = 4}));
  EXPECT_TRUE(found[0].match.fit.fits()) << to_sentence(found[0].match.fit);
  EXPECT_EQ(found[0].taken.size(), 122U);
  return found[0];
}

TEST(FindModel, BehindAnyPrefix) {
  for (const char* prefix :
       {"", "module.", "module.module.", "_orig_mod.", "module._orig_mod.", "model.backbone.", "a."}) {
    SCOPED_TRACE(prefix);
    const FoundModel found = only_model(tensors_as(behind(prefix)));
    EXPECT_EQ(found.prefix, prefix);
    EXPECT_EQ(found.taken[0].file_name, std::string(prefix) + "conv1.weight");
    EXPECT_THAT(found.left_out, IsEmpty());
  }
}

TEST(FindModel, WrappersMayStandInSomeNamesAndWithinThem) {
  only_model(tensors_as([](const std::string& name) {
    if (name.starts_with("layer1.0.")) return "module.layer1._orig_mod." + name.substr(7);
    return is_head(name) ? name : "_orig_mod." + name;
  }));
}

TEST(FindModel, OtherTensorsAreLeftOut) {
  const FoundModel found = only_model(joined(tensors_as(behind("module.")), {{"n_averaged", DType::kI64, {}},
                                                                             {"module.queue", DType::kF32, {2, 3}},
                                                                             {"criterion.weight", DType::kF32, {4}}}));
  EXPECT_THAT(found.left_out, ElementsAre("n_averaged", "module.queue", "criterion.weight"));
}

TEST(FindModel, ALargerNetworkIsNoSmallerOneWithTensorsBeside) {
  const std::vector<TensorGroup> groups = {
      {.key = "",
       .tensors = tensors_as([](const auto& name) { return name == "layer3.4.bn1.bias" ? "" : name; }, "resnet34")}};
  EXPECT_THAT(find_models(groups), IsEmpty());
}

TEST(FindModel, EveryOneOfSeveral) {
  const auto headless = [](const std::string& prefix) {
    return tensors_as([prefix](const std::string& name) { return is_head(name) ? std::string() : prefix + name; });
  };
  const std::vector<TensorGroup> groups = {
      {.key = "moco", .tensors = joined(headless("module.encoder_q."), headless("module.encoder_k."))},
      {.key = "state_dict_ema", .tensors = tensors_as(behind(""))},
      {.key = "optimizer.state.0", .tensors = {{"exp_avg", DType::kF32, {64, 3, 7, 7}}}},
      {.key = "state_dict", .tensors = tensors_as(behind("model."))}};
  const std::vector<FoundModel> found = find_models(groups);
  std::vector<std::string> places;
  for (const FoundModel& model : found)
    places.push_back(fmt::format("{}:{}{}", model.key, model.prefix, model.headless ? " headless" : ""));
  EXPECT_THAT(places, ElementsAre("state_dict:model.", "state_dict_ema:", "moco:module.encoder_q. headless",
                                  "moco:module.encoder_k. headless"));
  EXPECT_EQ(found[2].match.fit.missing, (std::vector<std::string>{"fc.weight", "fc.bias"}));
  EXPECT_EQ(found[2].taken.size(), 120U);
}

TEST(FindModel, HeadsByTheNamesOfOtherLibraries) {
  for (const char* head : {"linear.", "head.fc.", "classifier.1.", "head."}) {
    SCOPED_TRACE(head);
    const auto renamed = [head](const std::string& prefix) {
      return tensors_as(
          [head, prefix](const std::string& name) { return is_head(name) ? head + name.substr(3) : prefix + name; });
    };
    only_model(renamed(""));
    only_model(renamed("backbone."));
  }
  // A layer of another width is no head of this network.
  const std::vector<TensorGroup> groups = {
      {.key = "",
       .tensors = joined(tensors_as([](const auto& name) { return is_head(name) ? std::string() : name; }),
                         {{"head.weight", DType::kF32, {128, 2048}}, {"head.bias", DType::kF32, {128}}})}};
  ASSERT_EQ(find_models(groups).size(), 1U);
  EXPECT_TRUE(find_models(groups)[0].headless);
  EXPECT_THAT(find_models(groups)[0].left_out, ElementsAre("head.weight", "head.bias"));
}

// transformers' modeling_resnet.py: ResNetForImageClassification.
std::string huggingfaces(const std::string& name) {
  if (is_head(name)) return "classifier.1." + name.substr(3);
  const std::string last = name.substr(name.rfind('.'));
  if (name.starts_with("conv1.")) return "resnet.embedder.embedder.convolution" + last;
  if (name.starts_with("bn1.")) return "resnet.embedder.embedder.normalization" + last;
  const std::string block = fmt::format("resnet.encoder.stages.{}.layers.{}.", name[5] - '1', name[7]);
  const std::string rest = name.substr(9);
  if (rest.starts_with("downsample.0")) return block + "shortcut.convolution" + last;
  if (rest.starts_with("downsample.1")) return block + "shortcut.normalization" + last;
  const bool convolution = rest.starts_with("conv");
  return fmt::format("{}layer.{}.{}{}", block, rest[convolution ? 4 : 2] - '1',
                     convolution ? "convolution" : "normalization", last);
}

TEST(FindModel, HuggingFacesNames) {
  const FoundModel found = only_model(tensors_as(huggingfaces));
  EXPECT_EQ(found.prefix, "resnet.");
  for (const FoundModel::Taken& taken : found.taken) EXPECT_EQ(huggingfaces(taken.entry.name), taken.file_name);
  const std::vector<TensorGroup> groups = {{.key = "", .tensors = tensors_as(huggingfaces, "resnet50")}};
  ASSERT_EQ(find_models(groups).size(), 1U);
  EXPECT_EQ(find_models(groups)[0].match.description.architecture, "resnet50");
}

TEST(FindModel, OfOneArchitecture) {
  const std::vector<TensorGroup> groups = {{.key = "a", .tensors = tensors_as(behind(""), "resnet34")},
                                           {.key = "b", .tensors = tensors_as(behind(""))}};
  EXPECT_EQ(find_models(groups).size(), 2U);
  ASSERT_EQ(find_models(groups, "resnet18").size(), 1U);
  EXPECT_EQ(find_models(groups, "resnet18")[0].key, "b");
}

TEST(FindModel, NumbersAreCastAsLoadStateDictDoesIt) {
  std::vector<TensorEntry> tensors = tensors_as(behind(""));
  for (TensorEntry& tensor : tensors) {
    tensor.dtype = DType::kF16;
    if (tensor.dims.empty()) tensor.dims = {1};
  }
  only_model(tensors);
}

}  // namespace
}  // namespace resflow
