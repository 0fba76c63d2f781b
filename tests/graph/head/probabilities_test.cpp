#include "graph/head/probabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace resflow {
namespace {

TEST(Logits, SoftmaxIsThatOfTheDefinition) {
  const std::array<float, 3> logits = {0, std::log(2.0F), std::log(5.0F)};
  const std::vector<double> p = softmax(logits);
  // The logarithms above have f32's 24 bits.
  EXPECT_NEAR(p[0], 0.125, 1e-7);
  EXPECT_NEAR(p[1], 0.25, 1e-7);
  EXPECT_NEAR(p[2], 0.625, 1e-7);
}

TEST(Logits, SoftmaxOfHugeValuesIsFinite) {
  const std::array<float, 2> logits = {3e38F, -3e38F};
  EXPECT_THAT(softmax(logits), ::testing::ElementsAre(1.0, 0.0));
}

TEST(Logits, TopClassesAreInOrderAndTiesInClassOrder) {
  const std::array<double, 5> p = {0.1, 0.3, 0.2, 0.3, 0.1};
  EXPECT_THAT(top_classes(p, 3), ::testing::ElementsAre(1, 3, 2));
  EXPECT_THAT(top_classes(p, 5), ::testing::ElementsAre(1, 3, 2, 0, 4));
}

}  // namespace
}  // namespace resflow
