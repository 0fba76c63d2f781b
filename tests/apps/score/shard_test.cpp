#include "apps/score/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

TEST(Shard, EveryNameIsInOneAndSharesAreAlike) {
  constexpr int kShards = 7, kNames = 7000;
  std::vector<int> sizes(kShards);
  for (int i = 0; i < kNames; ++i) {
    const std::string name = "photos/" + std::to_string(i) + ".jpg";
    int in = 0;
    for (int k = 1; k <= kShards; ++k) {
      if (!Shard{k, kShards}.has(name)) continue;
      ++in;
      ++sizes[static_cast<size_t>(k - 1)];
    }
    ASSERT_EQ(in, 1) << name;
  }
  // Five standard deviations of a fair draw: sqrt(7000 * 1/7 * 6/7) = 29.
  for (const int size : sizes) EXPECT_NEAR(size, kNames / kShards, 150);
}

// Shards that were scored must be merged by later versions: the hash is a part of the format.
TEST(Shard, StaysAsItIs) {
  EXPECT_TRUE((Shard{1, 1}.has("anything")));
  std::string members;
  for (int i = 0; i < 20; ++i)
    for (int k = 1; k <= 3; ++k)
      if (Shard{k, 3}.has(std::to_string(i) + ".jpg")) members += std::to_string(k);
  EXPECT_EQ(members, "31131112112322133221");
}

TEST(Shard, IsWrittenAsItIsRead) {
  EXPECT_EQ(parse_shard("3/16"), (Shard{.number = 3, .of = 16}));
  EXPECT_EQ(to_string(parse_shard("1/1")), "1/1");
  for (const char* text : {"", "3", "3/", "/3", "a/b", "1/2/3", "1 /2", "1.5/2", "99999999999/3"})
    testing::expect_error(ErrorKind::kUsage, {std::string("shard ") + text, "wanted I/N"}, [&] { parse_shard(text); });
  for (const char* text : {"0/3", "4/3", "-1/3"})
    testing::expect_error(ErrorKind::kUsage, {text, "count from 1: wanted 1/3 to 3/3"}, [&] { parse_shard(text); });
  testing::expect_error(ErrorKind::kUsage, {"1/0"}, [&] { parse_shard("1/0"); });
}

}  // namespace
}  // namespace resflow
