#include "io/core/median.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(Median, IsTheMiddleValueOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({1, 2}), 1.5);
  EXPECT_EQ(median({9, 1, 4}), 4);
  EXPECT_EQ(median({7, 1, 100, 3}), 5);
}

}  // namespace
}  // namespace resflow
