#include "pipeline/stages.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resflow {
namespace {

TEST(Stages, HaveNamesInTheOrderOfTheFlowGraph) {
  std::vector<std::string> names;
  for (const Stage stage : kStages) names.emplace_back(stage_name(stage));
  EXPECT_EQ(names, (std::vector<std::string>{"read", "decode", "resize", "normalize"}));
}

TEST(Stages, SecondsAddUp) {
  StageSeconds a, b;
  a[Stage::kRead] = 1;
  b[Stage::kRead] = 2;
  b[Stage::kNormalize] = 4;
  a += b;
  EXPECT_EQ(a[Stage::kRead], 3);
  EXPECT_EQ(a[Stage::kDecode], 0);
  EXPECT_EQ(a[Stage::kNormalize], 4);
  EXPECT_EQ(a.sum(), 7);
}

}  // namespace
}  // namespace resflow
