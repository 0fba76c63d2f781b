#include "graph/model/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::python_has;
using testing::run_python;

Graph graph_of(const std::string& architecture) { return build_model({.architecture = architecture}); }

struct Known {
  const char* name;
  int64_t parameters;
  double giga_multiply_adds;  // at 224, three digits after the point
};

// torchvision's published figures.
constexpr Known kKnown[] = {
    {"resnet18", 11'689'512, 1.814},          {"resnet34", 21'797'672, 3.664},
    {"resnet50", 25'557'032, 4.089},          {"resnet101", 44'549'160, 7.801},
    {"resnet152", 60'192'808, 11.514},        {"resnext50_32x4d", 25'028'904, 4.230},
    {"resnext101_32x8d", 88'791'336, 16.414}, {"resnext101_64x4d", 83'455'272, 15.460},
    {"wide_resnet50_2", 68'883'240, 11.398},  {"wide_resnet101_2", 126'886'696, 22.753},
};

TEST(Graph, TenModelsHaveTorchvisionsParameterCounts) {
  ASSERT_EQ(model_names().size(), std::size(kKnown));
  for (const Known& known : kKnown) {
    int64_t count = 0;
    for (const ParameterSpec& spec : graph_of(known.name).parameters())
      if (spec.learnt) count += element_count(spec.dims);
    EXPECT_EQ(count, known.parameters) << known.name;
  }
}

TEST(Graph, TenModelsHaveTorchvisionsMultiplyAdds) {
  for (const Known& known : kKnown)
    EXPECT_NEAR(static_cast<double>(multiply_adds(graph_of(known.name), 224, 224)) * 1e-9, known.giga_multiply_adds,
                0.0006)  // the table is rounded, or cut, at the third digit
        << known.name;
}

TEST(Graph, NamesShapesAndOrderAreThoseOfTorchvisionsStateDict) {
  if (!python_has({"torch", "torchvision"})) GTEST_SKIP() << "needs torchvision";
  std::ostringstream ours;
  for (const std::string& name : model_names())
    for (const ParameterSpec& spec : graph_of(name).parameters())
      ours << name << ' ' << spec.name << ' ' << dtype_name(spec.dtype) << ' ' << to_string(spec.dims) << '\n';
  std::istringstream wanted(run_python("graph/model/state_dict.py", model_names()));
  std::istringstream got(ours.str());
  for (std::string want, have; std::getline(wanted, want);) {
    ASSERT_TRUE(std::getline(got, have)) << "missing: " << want;
    ASSERT_EQ(have, want);
  }
  std::string left;
  EXPECT_FALSE(std::getline(got, left)) << "unexpected: " << left;
}

TEST(Graph, ShapesFollowTheImage) {
  const Graph graph = graph_of("resnet18");
  const std::vector<Dims> square = graph.shapes(224, 224), wide = graph.shapes(32, 96);
  EXPECT_EQ(square.front(), (Dims{3, 224, 224}));
  EXPECT_EQ(square[1], (Dims{64, 112, 112}));
  EXPECT_EQ(square[square.size() - 3], (Dims{512, 7, 7}));
  EXPECT_EQ(square.back(), Dims{1000});
  EXPECT_EQ(wide[wide.size() - 3], (Dims{512, 1, 3}));
}

TEST(Graph, RefusesAnImageOfWhichNothingIsLeft) {
  Graph graph;
  const NodeId input = graph.add("input", InputNode{}, {});
  graph.add("conv", ConvNode{.in = 3, .out = 8, .kernel = 7}, {input});
  EXPECT_EQ(graph.shapes(7, 9).back(), (Dims{8, 1, 3}));
  try {
    graph.shapes(6, 9);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("conv"));
  }
}

TEST(Graph, RefusesNodesThatDoNotFit) {
  Graph graph;
  const NodeId input = graph.add("input", InputNode{}, {});
  EXPECT_THROW(graph.add("late", ReluNode{}, {7}), Error);
  EXPECT_THROW(graph.add("lonely", AddNode{}, {input}), Error);
  graph.add("conv", ConvNode{.in = 4, .out = 8}, {input});
  EXPECT_THROW(graph.shapes(32, 32), Error);
}

TEST(Graph, ReadersAreListedInOrder) {
  Graph graph;
  const NodeId input = graph.add("input", InputNode{}, {});
  const NodeId a = graph.add("a", ReluNode{}, {input});
  const NodeId b = graph.add("b", ReluNode{}, {a});
  const NodeId sum = graph.add("sum", AddNode{}, {a, b});
  const auto readers = graph.readers();
  EXPECT_EQ(readers[static_cast<size_t>(a)], (std::vector<NodeId>{b, sum}));
  EXPECT_TRUE(readers[static_cast<size_t>(sum)].empty());
  EXPECT_EQ(graph.output(), sum);
}

}  // namespace
}  // namespace resflow
