#include "graph/model/resnet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/core/error.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;

const Node& node(const Graph& graph, const std::string& name) {
  const auto found =
      std::find_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& n) { return n.name == name; });
  if (found == graph.nodes().end()) throw std::out_of_range(name);
  return *found;
}
ConvNode conv(const Graph& graph, const std::string& name) { return std::get<ConvNode>(node(graph, name).kind); }
bool has(const Graph& graph, const std::string& name) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& n) { return n.name == name; });
}

void expect_usage_error(const ResNetOptions& options, const std::string& words) {
  try {
    resnet(options);
    FAIL() << "wanted an error about " << words;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

const std::vector<int64_t> kFifty = {3, 4, 6, 3};

TEST(ResNet, TheStrideOfABottleneckIsOnThe3x3) {
  const Graph graph = resnet({.block = Block::kBottleneck, .layers = kFifty});
  EXPECT_EQ(conv(graph, "layer2.0.conv1").stride, 1);
  EXPECT_EQ(conv(graph, "layer2.0.conv2").stride, 2);
  EXPECT_EQ(conv(graph, "layer2.0.downsample.0").stride, 2);
  EXPECT_EQ(conv(graph, "layer2.1.conv2").stride, 1);
}

TEST(ResNet, OnlyABottleneckProjectsInTheFirstStage) {
  EXPECT_TRUE(has(resnet({.block = Block::kBottleneck, .layers = kFifty}), "layer1.0.downsample.0"));
  const Graph basic = resnet({});
  EXPECT_FALSE(has(basic, "layer1.0.downsample.0"));
  EXPECT_TRUE(has(basic, "layer2.0.downsample.0"));
  EXPECT_FALSE(has(basic, "layer2.1.downsample.0"));
}

TEST(ResNet, GroupsAndWidthSetTheMiddleOfABottleneck) {
  const Graph graph = resnet({.block = Block::kBottleneck, .layers = kFifty, .groups = 32, .width_per_group = 4});
  const ConvNode middle = conv(graph, "layer3.2.conv2");
  EXPECT_EQ(middle.groups, 32);
  EXPECT_EQ(middle.out, 512);
  EXPECT_EQ(conv(graph, "layer3.2.conv3").out, 1024);
}

TEST(ResNet, DilationReplacesStrideFromTheSecondBlockOn) {
  const Graph graph =
      resnet({.block = Block::kBottleneck, .layers = kFifty, .replace_stride_with_dilation = {false, true, true}});
  EXPECT_EQ(conv(graph, "layer2.0.conv2").stride, 2);
  EXPECT_EQ(conv(graph, "layer3.0.conv2").stride, 1);
  EXPECT_EQ(conv(graph, "layer3.0.conv2").dilation, 1);
  EXPECT_EQ(conv(graph, "layer3.1.conv2").dilation, 2);
  EXPECT_EQ(conv(graph, "layer3.1.conv2").pad, 2);
  EXPECT_EQ(conv(graph, "layer4.0.conv2").dilation, 2);
  EXPECT_EQ(conv(graph, "layer4.1.conv2").dilation, 4);
  // layer3 and layer4 keep the resolution of layer2: an eighth
  EXPECT_EQ(graph.shapes(224, 224)[graph.nodes().size() - 3], (Dims{2048, 28, 28}));
}

TEST(ResNet, ZeroInitResidualStartsTheLastNormOfEachBranchAtZero) {
  for (const Block block : {Block::kBasic, Block::kBottleneck}) {
    const std::string last = block == Block::kBasic ? ".bn2.weight" : ".bn3.weight";
    int zeros = 0;
    for (const ParameterSpec& spec : resnet({.block = block, .zero_init_residual = true}).parameters()) {
      if (spec.init != Init::kZeros || !spec.name.ends_with(".weight")) continue;
      EXPECT_TRUE(spec.name.ends_with(last)) << spec.name;
      ++zeros;
    }
    EXPECT_EQ(zeros, 8);
    for (const ParameterSpec& spec : resnet({.block = block}).parameters())
      if (spec.name.ends_with(last)) {
        EXPECT_EQ(spec.init, Init::kOnes) << spec.name;
      }
  }
}

TEST(ResNet, RefusesWhatBasicBlockCannotDo) {
  expect_usage_error({.groups = 2}, "BasicBlock only supports groups 1 and width_per_group 64");
  expect_usage_error({.width_per_group = 128}, "BasicBlock only supports groups 1 and width_per_group 64");
  expect_usage_error({.replace_stride_with_dilation = {true, false, false}}, "dilation 2 is not supported");
}

TEST(ResNet, RefusesOptionsThatCannotBe) {
  expect_usage_error({.num_classes = 0}, "num_classes is 0");
  expect_usage_error({.groups = 0}, "groups is 0");
  expect_usage_error({.replace_stride_with_dilation = {true}}, "has 1 elements");
  expect_usage_error({.replace_stride_with_dilation = {}}, "has 0 elements");
  expect_usage_error({.layers = {2, 2}, .replace_stride_with_dilation = {true, false}},
                     "wanted one for each stage after the first, 1");
  expect_usage_error({.layers = {}}, "number of stages in layers is 0: wanted 1 to 8");
  expect_usage_error({.layers = std::vector<int64_t>(64, 1)}, "number of stages in layers is 64: wanted 1 to 8");
  expect_usage_error({.layers = {0, 1}}, "number of blocks in a stage is 0: wanted 1 to 1000");
  expect_usage_error({.layers = {1, -1}}, "number of blocks in a stage is -1");
  expect_usage_error({.channels = 0}, "channels is 0");
  expect_usage_error({.norm_groups = 8}, "batch norm has none");
  expect_usage_error({.zero_init_residual = true, .residual = false}, "no_residual");
}

TEST(ResNet, GroupsThatDoNotDivideAreNamed) {
  expect_usage_error({.norm = Norm::kGroup, .norm_groups = 48},
                     "bn1: 48 groups do not divide the 64 channels of a group norm; 16 do");
  expect_usage_error({.block = Block::kBottleneck, .layers = kFifty, .width_per_group = 0}, "width_per_group 0");
  expect_usage_error({.block = Block::kBottleneck, .layers = {1}, .width_per_group = 1, .channels = 16},
                     "width_per_group 1 leaves none of 16 planes");
}

TEST(ResNet, GroupNormHas32GroupsWhereTheyDivideTheChannels) {
  EXPECT_EQ(norm_groups_of({.norm = Norm::kGroup}), 32);
  EXPECT_EQ(norm_groups_of({.channels = 16, .norm = Norm::kGroup}), 16);
  EXPECT_EQ(norm_groups_of({.channels = 24, .norm = Norm::kGroup}), 8);
  EXPECT_EQ(norm_groups_of({.block = Block::kBottleneck, .width_per_group = 4, .norm = Norm::kGroup}), 4);
  EXPECT_EQ(norm_groups_of({.norm = Norm::kGroup, .norm_groups = 2}), 2);
  const Graph graph = resnet({.norm = Norm::kGroup});
  EXPECT_EQ(std::get<GroupNormNode>(node(graph, "layer4.1.bn2").kind).groups, 32);
  EXPECT_FALSE(has_nodes<BatchNormNode>(graph));
  for (const ParameterSpec& spec : graph.parameters()) EXPECT_TRUE(spec.learnt) << spec.name;
}

TEST(ResNet, AStemForCifarKeepsTheResolution) {
  const Graph graph = resnet({.layers = {1, 1, 1}, .channels = 16, .stem = Stem::kCifar});
  EXPECT_FALSE(has_nodes<MaxPoolNode>(graph));
  const std::vector<Dims> shapes = graph.shapes(32, 32);
  EXPECT_EQ(shapes[1], (Dims{16, 32, 32}));
  EXPECT_EQ(shapes[shapes.size() - 3], (Dims{64, 8, 8}));
}

TEST(ResNet, ShortcutsByPaddingHaveNoParameters) {
  const Graph graph = resnet({.shortcut = Shortcut::kPadding});
  EXPECT_FALSE(has(graph, "layer2.0.downsample.0"));
  const auto shortcut = std::get<PadShortcutNode>(node(graph, "layer2.0.shortcut").kind);
  EXPECT_EQ(shortcut.in, 64);
  EXPECT_EQ(shortcut.out, 128);
  EXPECT_EQ(shortcut.stride, 2);
  EXPECT_FALSE(has(graph, "layer1.0.shortcut"));
}

TEST(ResNet, APlainNetworkAddsNothing) {
  const Graph graph = resnet({.residual = false});
  EXPECT_FALSE(has_nodes<AddNode>(graph));
  EXPECT_FALSE(has(graph, "layer2.0.downsample.0"));
}

}  // namespace
}  // namespace resflow
