#include "apps/evaluate/metrics_json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resflow {
namespace {

TEST(MetricsJson, HoldsEveryClassAndEveryConfusion) {
  const std::vector<double> ant = {0.75, 0.25}, bee = {0.25, 0.75};
  const std::vector<Answer> answers = {answer_of(ant, 0), answer_of(ant, 1), answer_of(bee, 1)};
  const nlohmann::ordered_json json = metrics_json(classification_metrics(answers, 2), {"ant", "bee"});

  EXPECT_EQ(json.at("pictures"), 3);
  EXPECT_EQ(json.at("right"), 2);
  ASSERT_EQ(json.at("classes").size(), 2U);
  EXPECT_EQ(json.at("classes")[1].at("name"), "bee");
  EXPECT_EQ(json.at("classes")[1].at("recall"), 0.5);
  EXPECT_EQ(json.at("classes")[0].at("said"), 2);
  EXPECT_EQ(json.at("confusion").dump(), "[[1,0],[1,1]]");
  EXPECT_EQ(json.at("confusion_pairs").dump(), "[[0,0,1],[1,0,1],[1,1,1]]");
  EXPECT_EQ(json.at("calibration").size(), static_cast<size_t>(kCalibrationBins));
}

// A matrix of ImageNet-21k's classes would be 477 million numbers.
TEST(MetricsJson, OfManyClassesHoldsThePairsThatOccur) {
  const std::vector<std::string> names(21'841, "class");
  const std::vector<Answer> answers = {{.label = 5, .said = 21'840}, {.label = 21'840, .said = 21'840}};
  const nlohmann::ordered_json json = metrics_json(classification_metrics(answers, names.size()), names);
  EXPECT_FALSE(json.contains("confusion"));
  EXPECT_EQ(json.at("confusion_pairs").dump(), "[[5,21840,1],[21840,21840,1]]");
  EXPECT_EQ(json.at("classes").size(), 21'841U);
  const std::vector<std::string> thousand(kMatrixClasses, "class");
  EXPECT_EQ(metrics_json(classification_metrics({}, kMatrixClasses), thousand).at("confusion").size(), kMatrixClasses);
}

}  // namespace
}  // namespace resflow
