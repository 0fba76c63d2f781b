#include "io/core/wording.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(Wording, DurationsReadAsClocksDo) {
  EXPECT_EQ(format_duration(7.4), "0:07");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(725), "12:05");
  EXPECT_EQ(format_duration(3 * 3600 + 41), "3:00:41");
  EXPECT_EQ(format_duration(-1), "?");
}

TEST(Wording, BytesHaveTheUnitThatFits) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1500), "1.5 KB");
  EXPECT_EQ(format_bytes(46.76e6), "46.8 MB");
  EXPECT_EQ(format_bytes(1.8e9), "1.80 GB");
}

TEST(Wording, CountsAreGroupedByThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(11689512), "11,689,512");
  EXPECT_EQ(format_count(-1000), "-1,000");
  EXPECT_EQ(format_count(-100), "-100");
  EXPECT_EQ(format_rate(0), "0.0");
  EXPECT_EQ(format_rate(65.68), "65.7");
  EXPECT_EQ(format_rate(1212.5), "1,213");
}

TEST(Wording, OneIsSingular) {
  EXPECT_EQ(plural(1, "class", "classes"), "1 class");
  EXPECT_EQ(plural(2, "class", "classes"), "2 classes");
}

TEST(Wording, OfManyTheFirstFewAreNamed) {
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_EQ(first_few(names, 3), "a, b, c");
  EXPECT_EQ(first_few(names, 2), "a, b and 1 more");
  EXPECT_EQ(first_few(names, 1, "; "), "a and 2 more");
  EXPECT_EQ(first_few({}, 2), "");
}

}  // namespace
}  // namespace resflow
