#include "apps/data/demo_photos.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/apps/program.h"

namespace resflow {
namespace {

bool same(const Image& a, const Image& b) {
  return a.width() == b.width() && a.height() == b.height() &&
         std::memcmp(a.row(0), b.row(0), a.row_bytes() * static_cast<size_t>(a.height())) == 0;
}

TEST(DemoPhotos, AreTheSameEveryTimeAndDifferByNumberAndClass) {
  EXPECT_TRUE(same(draw_demo_photo(1, 7), draw_demo_photo(1, 7)));
  EXPECT_FALSE(same(draw_demo_photo(1, 7), draw_demo_photo(1, 8)));
  EXPECT_FALSE(same(draw_demo_photo(1, 7), draw_demo_photo(2, 7)));
}

// If the mean colour told the classes apart, nothing would have to be learned: the best single threshold on it
// would be right far more often than chance.
TEST(DemoPhotos, MeanColourDoesNotTellTheClasses) {
  constexpr int kEach = 60;
  std::vector<std::array<double, 4>> mean(kEach);
  for (int label = 0; label < 4; ++label)
    for (int n = 0; n < kEach; ++n) {
      const Image image = draw_demo_photo(label, static_cast<uint64_t>(n));
      double sum = 0;
      for (int y = 0; y < image.height(); ++y)
        for (size_t i = 0; i < image.row_bytes(); ++i) sum += image.row(y)[i];
      mean[static_cast<size_t>(n)][static_cast<size_t>(label)] =
          sum / static_cast<double>(image.row_bytes() * static_cast<size_t>(image.height()));
    }
  for (size_t a = 0; a < 4; ++a)
    for (size_t b = a + 1; b < 4; ++b) {
      // The probability that a picture of a is brighter than one of b: 0.5 means no difference.
      int brighter = 0;
      for (const auto& x : mean)
        for (const auto& y : mean) brighter += x[a] > y[b] ? 1 : 0;
      EXPECT_NEAR(brighter / static_cast<double>(kEach * kEach), 0.5, 0.25) << a << " " << b;
    }
}

TEST(DemoPhotos, LieInClassFoldersOfTwoParts) {
  const testing::TemporaryFolder folder;
  write_demo_photos(folder.path(), {.train = 2, .val = 1});
  EXPECT_TRUE(std::filesystem::exists(folder / "train/fence/001.jpg"));
  EXPECT_TRUE(std::filesystem::exists(folder / "val/stairs/000.jpg"));
  EXPECT_FALSE(std::filesystem::exists(folder / "val/stairs/001.jpg"));
  EXPECT_EQ(testing::read_text(folder / "train/pebbles/000.jpg"), testing::photo_bytes(2, 0));
}

}  // namespace
}  // namespace resflow
