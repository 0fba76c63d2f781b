#include "apps/evaluate/metrics_json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resflow {
namespace {

TEST(MetricsJson, HoldsEveryClassAndEveryConfusion) {
  ProbabilityTable table(2);
  table.add(std::vector<double>{0.75, 0.25});
  table.add(std::vector<double>{0.75, 0.25});
  table.add(std::vector<double>{0.25, 0.75});
  const std::vector<int> labels = {0, 1, 1};
  const nlohmann::ordered_json json = metrics_json(classification_metrics(labels, table), {"ant", "bee"});

  EXPECT_EQ(json.at("pictures"), 3);
  EXPECT_EQ(json.at("right"), 2);
  ASSERT_EQ(json.at("classes").size(), 2U);
  EXPECT_EQ(json.at("classes")[1].at("name"), "bee");
  EXPECT_EQ(json.at("classes")[1].at("recall"), 0.5);
  EXPECT_EQ(json.at("classes")[0].at("said"), 2);
  EXPECT_EQ(json.at("confusion").dump(), "[[1,0],[1,1]]");
  EXPECT_EQ(json.at("calibration").size(), static_cast<size_t>(kCalibrationBins));
}

}  // namespace
}  // namespace resflow
