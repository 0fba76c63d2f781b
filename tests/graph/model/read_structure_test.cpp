#include "graph/model/read_structure.h"

#include <gtest/gtest.h>

#include "graph/model/model_zoo.h"
#include "graph/model/recognise.h"

namespace resflow {
namespace {

std::vector<TensorEntry> entries_of_network(const ResNetOptions& options) {
  std::vector<TensorEntry> entries;
  for (const ParameterSpec& spec : resnet(options).parameters()) entries.push_back({spec.name, spec.dtype, spec.dims});
  return entries;
}

TEST(ReadStructure, WhatTensorsShowComesBack) {
  const std::vector<ResNetOptions> all = {
      {},
      {.block = Block::kBottleneck, .layers = {1, 2}, .num_classes = 3, .groups = 4, .width_per_group = 8},
      {.block = Block::kBottleneck, .layers = {2}, .channels = 32},
      {.layers = {18, 18, 18}, .channels = 16, .shortcut = Shortcut::kPadding, .stem = Stem::kCifar},
      {.layers = {1, 1, 1, 1, 1, 1, 1, 1}, .channels = 4},
      {.block = Block::kBottleneck, .layers = {3, 4, 6, 3}, .norm = Norm::kGroup},
      {.layers = {5}, .channels = 24, .norm = Norm::kGroup, .stem = Stem::kCifar}};
  for (const ResNetOptions& options : all) {
    const std::vector<TensorEntry> entries = entries_of_network(options);
    const std::string name = to_text(describe(options));
    EXPECT_EQ(read_structure(entries), options) << name;
    const ModelMatch match = recognise_model(entries);
    EXPECT_TRUE(match.fit.fits()) << name << ": " << to_sentence(match.fit);
    EXPECT_EQ(match.description, describe(options)) << name;
  }
}

// Strides, dilation and the groups of norms leave no trace.
TEST(ReadStructure, WhatTensorsDoNotShowIsAsByDefault) {
  ResNetOptions options = {.block = Block::kBottleneck,
                           .zero_init_residual = true,
                           .replace_stride_with_dilation = {false, true, true},
                           .norm = Norm::kGroup,
                           .norm_groups = 8};
  const auto read = read_structure(entries_of_network(options));
  options.zero_init_residual = false;
  options.replace_stride_with_dilation = {false, false, false};
  options.norm_groups = 0;
  EXPECT_EQ(read, options);
}

TEST(ReadStructure, NothingWhereThereIsNoStemOrNoBlock) {
  const std::vector<TensorEntry> none, stem = {{"conv1.weight", DType::kF32, {64, 3, 7, 7}}};
  EXPECT_FALSE(read_structure(none));
  EXPECT_FALSE(read_structure(stem));
  // A bottleneck whose middle is no convolution.
  const std::vector<TensorEntry> odd = {{"conv1.weight", DType::kF32, {64, 3, 7, 7}},
                                        {"layer1.0.conv1.weight", DType::kF32, {64, 64, 1, 1}},
                                        {"layer1.0.conv2.weight", DType::kF32, {0, 0, 3, 3}},
                                        {"layer1.0.conv3.weight", DType::kF32, {256, 64, 1, 1}}};
  EXPECT_FALSE(read_structure(odd));
  EXPECT_FALSE(recognise_model(odd).fit.fits());
}

// Names of more stages and blocks than there can be are not followed.
TEST(ReadStructure, StopsAtTheMostStages) {
  std::vector<TensorEntry> entries = {{"conv1.weight", DType::kF32, {64, 3, 7, 7}}};
  for (int stage = 1; stage <= 64; ++stage)
    entries.push_back({"layer" + std::to_string(stage) + ".0.conv1.weight", DType::kF32, {1, 1, 1, 1}});
  const auto read = read_structure(entries);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->layers.size(), 8U);
  EXPECT_FALSE(recognise_model(entries).fit.fits());
}

}  // namespace
}  // namespace resflow
