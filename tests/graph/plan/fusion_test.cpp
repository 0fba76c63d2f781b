#include "graph/plan/fusion.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/model/model_zoo.h"

namespace resflow {
namespace {

const FusedNode& node_named(const Graph& graph, const std::vector<FusedNode>& fused, const std::string& name) {
  const auto found = std::find_if(fused.begin(), fused.end(), [&](const FusedNode& node) {
    return graph.nodes()[static_cast<size_t>(node.first)].name == name;
  });
  if (found == fused.end()) throw std::out_of_range(name);
  return *found;
}

TEST(Fusion, TrainingJoinsNormAddAndRelu) {
  const Graph graph = build_model({.architecture = "resnet18"});
  const auto fused = fuse(graph, std::vector<bool>(graph.nodes().size(), false));
  // input, 20 convolutions, 20 norms, two pools, fc
  EXPECT_EQ(fused.size(), 1U + 20 + 20 + 2 + 1);
  EXPECT_TRUE(node_named(graph, fused, "bn1").relu);
  EXPECT_FALSE(node_named(graph, fused, "bn1").residual);
  EXPECT_TRUE(node_named(graph, fused, "layer1.0.bn2").relu);
  EXPECT_TRUE(node_named(graph, fused, "layer1.0.bn2").residual);
  EXPECT_FALSE(node_named(graph, fused, "layer2.0.downsample.1").relu);
  EXPECT_FALSE(node_named(graph, fused, "layer2.0.downsample.1").residual);
}

TEST(Fusion, InferenceLeavesConvolutionsPoolsAndTheLinearLayer) {
  const Graph graph = build_model({.architecture = "resnet50"});
  const auto fused = fuse(graph, std::vector<bool>(graph.nodes().size(), true));
  EXPECT_EQ(fused.size(), 1U + 53 + 2 + 1);
  for (const FusedNode& node : fused) {
    const bool conv = std::holds_alternative<ConvNode>(graph.nodes()[static_cast<size_t>(node.first)].kind);
    EXPECT_EQ(conv, node.batch_norm >= 0);
  }
  EXPECT_TRUE(node_named(graph, fused, "layer1.0.conv3").residual);
  EXPECT_TRUE(node_named(graph, fused, "layer1.0.conv3").relu);
  EXPECT_FALSE(node_named(graph, fused, "layer1.0.downsample.0").relu);
}

TEST(Fusion, InputsComeFirstAndEveryNodeIsInOneOp) {
  for (const std::string& name : model_names()) {
    for (const bool training : {false, true}) {
      const Graph graph = build_model({.architecture = name});
      const auto fused = fuse(graph, std::vector<bool>(graph.nodes().size(), !training));
      for (size_t i = 0; i < fused.size(); ++i)
        for (const int input : fused[i].inputs) {
          EXPECT_GE(input, 0);
          EXPECT_LT(input, static_cast<int>(i));
        }
      EXPECT_EQ(fused.back().last, graph.output());
    }
  }
}

TEST(Fusion, AValueWithTwoReadersStaysAValue) {
  Graph graph;
  const NodeId input = graph.add("input", InputNode{}, {});
  const NodeId conv = graph.add("conv", ConvNode{.in = 3, .out = 3}, {input});
  const NodeId norm = graph.add("norm", BatchNormNode{.channels = 3}, {conv});
  const NodeId relu = graph.add("relu", ReluNode{}, {norm});
  graph.add("sum", AddNode{}, {norm, relu});
  const auto fused = fuse(graph, std::vector<bool>(graph.nodes().size(), true));
  ASSERT_EQ(fused.size(), 4U);
  EXPECT_EQ(fused[1].batch_norm, norm);
  EXPECT_FALSE(fused[1].relu);
  EXPECT_FALSE(fused[1].residual);
  EXPECT_EQ(fused[3].inputs, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace resflow
