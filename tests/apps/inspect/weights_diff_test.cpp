#include "apps/inspect/weights_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "apps/model/model_file.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Array floats(std::vector<float> values) { return Array::from<float>({static_cast<int64_t>(values.size())}, values); }

TEST(WeightsDiff, OrderIsNoDifference) {
  const WeightsDiff diff = diff_weights({{"a", floats({1, std::nanf("1")})}, {"b", floats({2})}},
                                        {{"b", floats({2})}, {"a", floats({1, std::nanf("1")})}});
  EXPECT_TRUE(diff.same());
  EXPECT_EQ(diff.tensors, 2);
}

TEST(WeightsDiff, ValuesComeWorstFirst) {
  const WeightsDiff diff = diff_weights(
      {{"small", floats({1, 2, 3})}, {"same", floats({4})}, {"large", floats({1, 1})}, {"nan", floats({1, 7})}},
      {{"small", floats({1, 2.25F, 2.5F})},
       {"same", floats({4})},
       {"large", floats({1, -9})},
       {"nan", floats({std::nanf(""), 7})}});
  ASSERT_EQ(diff.values.size(), 3U);
  EXPECT_EQ(diff.values[0].name, "nan");
  EXPECT_TRUE(std::isnan(diff.values[0].largest));
  EXPECT_EQ(diff.values[1].name, "large");
  EXPECT_EQ(diff.values[1].largest, 10);
  EXPECT_EQ(diff.values[2].largest, 0.5);
  EXPECT_EQ(diff.values[2].differing, 2);
  EXPECT_EQ(diff.values[2].of, 3);
  EXPECT_FALSE(diff.same());
}

TEST(WeightsDiff, TwoZerosDifferInBitsAlone) {
  const WeightsDiff diff = diff_weights({{"a", floats({0})}}, {{"a", floats({-0.0F})}});
  ASSERT_EQ(diff.values.size(), 1U);
  EXPECT_EQ(diff.values[0].largest, 0);
}

TEST(WeightsDiff, NamesShapesAndDtypes) {
  const WeightsDiff diff = diff_weights(
      {{"a", floats({1})}, {"b", floats({1, 2})}, {"c", floats({0})}, {"n", Array(DType::kI64, {})}},
      {{"b", floats({1, 2, 3})}, {"c", Array(DType::kF16, {1})}, {"d", floats({1})}, {"n", Array(DType::kI64, {})}});
  EXPECT_THAT(diff.only_in_first, ElementsAre("a"));
  EXPECT_THAT(diff.only_in_second, ElementsAre("d"));
  ASSERT_EQ(diff.shapes.size(), 1U);
  EXPECT_EQ(diff.shapes[0].what + diff.shapes[0].first + diff.shapes[0].second, "b(2)(3)");
  ASSERT_EQ(diff.dtypes.size(), 1U);
  EXPECT_EQ(diff.dtypes[0].what + diff.dtypes[0].first + diff.dtypes[0].second, "cf32f16");
  EXPECT_THAT(diff.values, IsEmpty());  // zeros both
  EXPECT_FALSE(diff.same());
}

TEST(WeightsDiff, FactsThatOneFileDoesNotHaveAreNoDifference) {
  ModelFacts a, b;
  a.classes = {{"ant", "bee"}};
  a.preprocessing = Preprocessing();
  a.provenance = {{"made by", "one"}};
  WeightsDiff diff;
  diff_facts(a, b, diff);
  EXPECT_TRUE(diff.same());
  b = a;
  b.provenance = {{"made by", "another"}};
  diff_facts(a, b, diff);
  EXPECT_TRUE(diff.same());
  b.classes->at(1) = "wasp";
  b.preprocessing->resize = 232;
  a.summary.metadata = {{"epoch", "7"}, {"format", "pt"}};
  b.summary.metadata = {{"epoch", "8"}};
  diff_facts(a, b, diff);
  ASSERT_EQ(diff.facts.size(), 3U);
  EXPECT_EQ(diff.facts[0].what + diff.facts[0].first + diff.facts[0].second, "class 1beewasp");
  EXPECT_EQ(diff.facts[1].what, "preprocessing");
  EXPECT_EQ(diff.facts[2].what, "metadata epoch");
}

TEST(WeightsDiff, OutputsThatBecomeProbabilitiesInAnotherWayAreADifference) {
  ModelFacts a, b;
  a.summary.format = b.summary.format = WeightsFormat::kCheckpoint;
  a.head = {.kind = Head::Kind::kOneVsRest, .platt_a = {-1, -2}, .platt_b = {0, 0.5}};
  WeightsDiff diff;
  diff_facts(a, b, diff);
  ASSERT_EQ(diff.facts.size(), 1U);
  EXPECT_EQ(diff.facts[0].first, "one_vs_rest, A -1 -2, B 0 0.5");
  EXPECT_EQ(diff.facts[0].second, "softmax");
  b.summary.format = WeightsFormat::kPth;
  WeightsDiff none;
  diff_facts(a, b, none);
  EXPECT_TRUE(none.same()) << ".pth has no place for it";
}

}  // namespace
}  // namespace resflow
