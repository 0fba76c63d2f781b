// The sums of data statistics, and how gathering them ends early. What is found in a data set is in
// tests/apps/stats_test.cpp, which covers stats_report as well.
#include "apps/data/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/data/stats_report.h"
#include "tests/apps/program.h"
#include "tests/support/stops_after.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(PixelSums, AreOfAllPixelsWhateverTheOrder) {
  const uint8_t two[] = {0, 51, 255, 0, 153, 255}, one[] = {0, 102, 0};
  PixelSums first, second;
  first.add(two, 2);
  second.add(one, 1);
  PixelSums both = first, other = second;
  both.add(second);
  other.add(first);
  EXPECT_EQ(both.pixels(), 3U);
  EXPECT_EQ(both.mean(), other.mean());
  EXPECT_EQ(both.std(), other.std());
  EXPECT_DOUBLE_EQ(both.mean()[0], 0);
  EXPECT_DOUBLE_EQ(both.mean()[1], 0.4);
  EXPECT_DOUBLE_EQ(both.mean()[2], 2 / 3.0);
  EXPECT_DOUBLE_EQ(both.std()[0], 0);
  // Of 51, 102 and 153: divided by their number, not by one less.
  EXPECT_NEAR(both.std()[1], std::sqrt(2 / 3.0) * 0.2, 1e-12);
}

TEST(SizeStats, CountsShapesAndFindsMedians) {
  SizeStats sizes;
  sizes.count_of = {{{100, 50}, 2}, {{60, 90}, 1}, {{80, 80}, 1}};
  EXPECT_EQ(sizes.landscape(), 2);
  EXPECT_EQ(sizes.portrait(), 1);
  EXPECT_EQ(sizes.square(), 1);
  EXPECT_EQ(sizes.below(60), 2);
  EXPECT_EQ(sizes.widths().min, 60);
  EXPECT_EQ(sizes.widths().max, 100);
  EXPECT_DOUBLE_EQ(sizes.widths().median, 90);  // 60 80 100 100
  EXPECT_DOUBLE_EQ(sizes.heights().median, 65);
  EXPECT_THAT(sizes.most_common(1), ElementsAre(Pair(std::pair(100, 50), 2)));
}

TEST(DataStats, EndWhereTheListenerAsksToStop) {
  StopsAfter after_3(3);
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 4);
  const DataStats stats = gather_data_stats({{"train", folder / "data"}}, {.threads = 2}, after_3);
  EXPECT_TRUE(stats.stopped);
  EXPECT_EQ(stats.looked_at, 3);
}

TEST(DataStats, WhateverAPictureIsIsItsOwnError) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 2);
  write_text(folder / "data/net/elongated.ppm", "P4 1 9000000\n" + std::string(9'000'000, '\0'));
  write_text(folder / "data/net/large.ppm", "P5 2000 1500 255\n" + std::string(3'000'000, '\0'));
  write_text(folder / "data/net/short.ppm", "P5 20 10 255\n" + std::string(150, '\0'));
  for (const bool take : {false, true}) {
    const DataStats stats =
        gather_data_stats({{"train", folder / "data"}},
                          {.threads = 2, .accept = {.max_pixels = 10'000'000, .truncated = take}}, silent());
    std::vector<std::string> reasons;
    for (const BrokenSample& broken : stats.parts[0].broken) reasons.push_back(broken.reason);
    EXPECT_EQ(reasons.size(), take ? 1U : 2U);
    EXPECT_EQ(reasons[0], "is 1x9000000 pixels: too elongated to be resized to 256 on its short side");
    EXPECT_EQ(stats.parts[0].truncated, take ? 1 : 0);
  }
  const DataStats stats =
      gather_data_stats({{"train", folder / "data"}}, {.accept = {.max_pixels = 1'000'000}}, silent());
  EXPECT_EQ(stats.parts[0].broken.size(), 3U);
}

TEST(DataStats, BothDefinitionsOfMeanAndDeviation) {
  PixelSums black_and_white, grey;
  const std::vector<uint8_t> extremes = {0, 0, 0, 255, 255, 255}, same(6, 51);
  black_and_white.add(extremes.data(), 2);
  grey.add(same.data(), 2);
  PictureSums pictures;
  pictures.add(black_and_white);
  pictures.add(grey);
  EXPECT_DOUBLE_EQ(pictures.mean()[0], 0.35);  // of 0.5 and 0.2
  EXPECT_DOUBLE_EQ(pictures.std()[2], 0.25);   // of 0.5 and 0
}

TEST(DataStats, SayWhatIsClippedOf16BitGrey) {
  const TemporaryFolder folder;
  for (const char* file : {"a/1.pgm", "b/1.pgm"})
    write_text(folder / ("data/" + std::string(file)), "P2 2 2 65535\n0 255 256 65535\n");
  for (const bool scale : {false, true}) {
    const DataStatsOptions options = {.resize = 2, .crop = 2, .accept = {.scale_grey16 = scale}};
    const DataStats stats = gather_data_stats({{"train", folder / "data"}}, options, silent());
    EXPECT_EQ(stats.parts[0].grey16, 2);
    EXPECT_EQ(stats.parts[0].grey16_pixels, 8);
    EXPECT_EQ(stats.parts[0].clipped_pixels, 4);
    EXPECT_NEAR(stats.parts[0].pixels.mean()[0], (scale ? 0 + 0 + 1 + 255 : 0 + 255 + 255 + 255) / 4.0 / 255, 1e-12);
    const std::string text = data_stats_text(stats, options);
    EXPECT_NE(text.find(scale ? "16-bit grey 2: 50.0 % of their pixels are above 255, and are kept"
                              : "16-bit grey 2: 50.0 % of their pixels are clipped to white, as Pillow does"),
              std::string::npos)
        << text;
  }
}

// A listener that asks to stop when a picture is decoded, before any is done.
TEST(DataStats, EndWithinAPicture) {
  const TemporaryFolder folder;
  write_text(folder / "data/a/large.ppm", "P5 1024 1024 255\n" + std::string(1024 * 1024, '\0'));
  StopsAfter at_once(0);
  const DataStats stats = gather_data_stats({{"train", folder / "data"}}, {}, at_once);
  EXPECT_TRUE(stats.stopped);
  EXPECT_EQ(stats.looked_at, 0);
}

}  // namespace
}  // namespace resflow::testing
