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

constexpr std::array<int, 4> kFifty = {3, 4, 6, 3};

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
}

}  // namespace
}  // namespace resflow
