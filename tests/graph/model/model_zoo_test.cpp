#include "graph/model/model_zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/core/error.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;

std::string error_of_building(const ModelDescription& description) {
  try {
    build_model(description);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(ModelZoo, AnUnknownNameListsTheKnownOnes) {
  const std::string sentence = error_of_building({.architecture = "resnet35"});
  EXPECT_THAT(sentence, HasSubstr("\"resnet35\""));
  for (const std::string& name : all_model_names()) EXPECT_THAT(sentence, HasSubstr(name));
}

TEST(ModelZoo, WhatTheNameSaysCannotBeOverridden) {
  EXPECT_THAT(error_of_building({.architecture = "resnext50_32x4d", .groups = 16}), HasSubstr("has groups 32, got 16"));
  EXPECT_THAT(error_of_building({.architecture = "wide_resnet50_2", .width_per_group = 64}),
              HasSubstr("has width_per_group 128, got 64"));
  EXPECT_EQ(error_of_building({.architecture = "resnext50_32x4d", .groups = 32}), "no error");
}

TEST(ModelZoo, Resnet50WithGroupsIsResnext50) {
  const auto plain = build_model({.architecture = "resnet50", .groups = 32, .width_per_group = 4}).parameters();
  const auto named = build_model({.architecture = "resnext50_32x4d"}).parameters();
  ASSERT_EQ(plain.size(), named.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(plain[i].name, named[i].name);
    EXPECT_EQ(plain[i].dims, named[i].dims);
  }
}

// Depths, parameters and operations as in the paper (6 n + 2 layers, table 6) and akamaster/pytorch_resnet_cifar10.
TEST(ModelZoo, TheNetworksForCifarHaveThePapersSizes) {
  const std::vector<std::pair<std::string, int64_t>> papers = {
      {"resnet20", 269722}, {"resnet32", 464154}, {"resnet44", 658586}, {"resnet56", 853018}, {"resnet110", 1727962}};
  for (const auto& [name, parameters] : papers) {
    const Graph graph = build_model({.architecture = name, .num_classes = 10});
    int64_t learnt = 0, layers = 0;
    for (const ParameterSpec& spec : graph.parameters()) {
      if (spec.learnt) learnt += element_count(spec.dims);
      if (spec.dims.size() > 1) ++layers;
    }
    EXPECT_EQ(learnt, parameters) << name;
    EXPECT_EQ("resnet" + std::to_string(layers), name);
    EXPECT_EQ(usual_image_size({.architecture = name}), 32);
  }
  EXPECT_EQ(usual_image_size({.architecture = "resnet50"}), 224);
}

TEST(ModelZoo, ADescriptionIsTheShortestOneOfItsNetwork) {
  const auto described = [](ModelDescription description) { return to_text(describe(options_of(description))); };
  for (const std::string& name : all_model_names()) EXPECT_EQ(described({.architecture = name}), name);
  ModelDescription fifty = {.architecture = "resnet", .block = "bottleneck", .layers = {3, 4, 6, 3}};
  EXPECT_EQ(described(fifty), "resnet50");
  fifty.groups = 32;
  fifty.width_per_group = 4;
  EXPECT_EQ(described(fifty), "resnext50_32x4d");
  fifty.groups = 2;
  EXPECT_EQ(described(fifty), "resnet50 (groups 2, width per group 4)");
  EXPECT_EQ(described({.architecture = "resnet18", .stem = "cifar"}), "resnet18 (stem cifar)");
  EXPECT_EQ(described({.architecture = "resnet20", .norm = "group", .shortcut = "projection"}),
            "resnet20 (norm group, shortcut projection)");
  EXPECT_EQ(described({.architecture = "resnet20", .no_residual = true}), "resnet20 (no residual)");
  ModelDescription odd = {.architecture = "resnet",
                          .replace_stride_with_dilation = {false, true},
                          .block = "bottleneck",
                          .layers = {1, 2, 1},
                          .norm = "batch"};
  EXPECT_EQ(described(odd), "resnet (block bottleneck, layers 1,2,1, dilation in place of stride in layer3)");
}

TEST(ModelZoo, ADescriptionGivesItsOptionsBack) {
  std::vector<ResNetOptions> all = {{},
                                    {.layers = {1}, .channels = 8},
                                    {.layers = {3, 3, 3}, .channels = 16, .stem = Stem::kCifar},
                                    {.layers = {3, 3, 3}, .stem = Stem::kCifar},
                                    {.layers = {3, 3, 3}, .channels = 16},
                                    {.layers = {2, 1, 4}, .channels = 64, .stem = Stem::kCifar},
                                    {.layers = {2, 1, 4}, .channels = 16, .residual = false},
                                    {.zero_init_residual = true, .norm = Norm::kGroup, .norm_groups = 4}};
  all.push_back({.block = Block::kBottleneck,
                 .layers = {3, 4, 23, 3},
                 .num_classes = 7,
                 .groups = 64,
                 .width_per_group = 4,
                 .replace_stride_with_dilation = {false, false, true},
                 .shortcut = Shortcut::kPadding});
  for (const ResNetOptions& options : all)
    EXPECT_EQ(options_of(describe(options)), options) << to_text(describe(options));
}

TEST(ModelZoo, ANetworkOfNoNameNeedsBlockAndLayersAndANamedOneHasItsOwn) {
  EXPECT_THAT(error_of_building({.architecture = "resnet", .block = "basic"}), HasSubstr("wanted both"));
  EXPECT_THAT(error_of_building({.architecture = "resnet18", .layers = {1}}),
              HasSubstr("has its own block and layers"));
  EXPECT_THAT(error_of_building({.architecture = "resnet18", .norm = "layer"}), HasSubstr("wanted batch or group"));
}

TEST(ModelZoo, NumClassesSetsTheLinearLayerAlone) {
  const auto ten = build_model({.architecture = "resnet18", .num_classes = 10}).parameters();
  const auto thousand = build_model({.architecture = "resnet18"}).parameters();
  for (size_t i = 0; i + 2 < ten.size(); ++i) EXPECT_EQ(ten[i].dims, thousand[i].dims);
  EXPECT_EQ(ten[ten.size() - 2].dims, (Dims{10, 512}));
  EXPECT_EQ(ten.back().dims, (Dims{10}));
}

}  // namespace
}  // namespace resflow
