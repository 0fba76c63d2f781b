#include "apps/data/packing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/pack/reader.h"
#include "tests/apps/program.h"
#include "tests/support/stops_after.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;

class PackingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    draw_photos(folder_ / "data", 2, 3);
    write_text(folder_ / "data/net/zz.jpg", "no picture");
    dataset_ = list_image_folder(folder_ / "data");
  }

  TemporaryFolder folder_;
  Dataset dataset_;
};

TEST_F(PackingTest, BrokenPicturesAreLeftOutAndNamed) {
  PackWriter writer(folder_ / "p", {.classes = dataset_.classes});
  const Packing packing = add_pictures(dataset_, folder_ / "data", {.threads = 2}, writer, silent());
  EXPECT_EQ(writer.records(), 6);
  EXPECT_FALSE(packing.stopped);
  EXPECT_EQ(packing.shrunk, 0);
  ASSERT_EQ(packing.broken.size(), 1U);
  EXPECT_EQ(packing.broken[0].name, folder_ / "data/net/zz.jpg");
  EXPECT_EQ(dataset_.samples[static_cast<size_t>(packing.broken[0].sample)].path, packing.broken[0].name);
  EXPECT_FALSE(packing.broken[0].reason.empty());
  writer.commit();
  EXPECT_EQ(list_image_folder(folder_ / "p").samples.size(), 6U);
}

TEST_F(PackingTest, LargerPicturesAreShrunk) {
  PackWriter writer(folder_ / "p", {.classes = dataset_.classes, .short_side = 16, .quality = 90});
  const Packing packing = add_pictures(dataset_, folder_ / "data", {.short_side = 16}, writer, silent());
  EXPECT_EQ(packing.shrunk, 6);
  EXPECT_LT(writer.bytes(), packing.read);
}

TEST_F(PackingTest, EndsWhereTheListenerAsksToStop) {
  StopsAfter after_2(2);
  PackWriter writer(folder_ / "p", {.classes = dataset_.classes});
  EXPECT_TRUE(add_pictures(dataset_, folder_ / "data", {}, writer, after_2).stopped);
  EXPECT_EQ(writer.records(), 2);
}

TEST_F(PackingTest, TakesTruncatedPicturesWhereItIsAskedTo) {
  const std::string bytes = "P5 20 10 255\n" + std::string(150, '\0');
  write_text(folder_ / "data/net/short.ppm", bytes);
  dataset_ = list_image_folder(folder_ / "data");
  PackWriter writer(folder_ / "p", {.classes = dataset_.classes});
  const Packing packing = add_pictures(dataset_, folder_ / "data", {.accept = {.truncated = true}}, writer, silent());
  EXPECT_EQ(writer.records(), 7);
  EXPECT_EQ(packing.truncated, 1);
  ASSERT_EQ(packing.broken.size(), 1U);
}

TEST_F(PackingTest, EndsWithinAPicture) {
  write_text(folder_ / "data/a/large.ppm", "P5 1024 1024 255\n" + std::string(1024 * 1024, '\0'));
  dataset_ = list_image_folder(folder_ / "data");
  StopsAfter at_once(0);
  PackWriter writer(folder_ / "p", {.classes = dataset_.classes, .short_side = 16, .quality = 90});
  EXPECT_TRUE(add_pictures(dataset_, folder_ / "data", {.short_side = 16}, writer, at_once).stopped);
  EXPECT_EQ(writer.records(), 0);
}

}  // namespace
}  // namespace resflow::testing
