#include "pipeline/pixels/crop.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

constexpr double kScale[2] = {0.08, 1.0};
constexpr double kRatio[2] = {3.0 / 4.0, 4.0 / 3.0};

// torchvision's own get_params, fed with the same draws.
TEST(RandomResizedCrop, EqualsTorchvisionOnTheSameDraws) {
  if (!python_has({"torch", "torchvision"})) GTEST_SKIP() << "needs python3-torchvision";
  constexpr int kSizes[][2] = {{500, 375}, {1, 1},     {1, 1000},    {1000, 1},  {3, 4},     {4, 3},     {74, 50},
                               {2, 9},     {333, 500}, {1984, 1488}, {100, 134}, {134, 100}, {65500, 7}, {640, 480}};
  constexpr int kDrawsPerSize = 300;
  constexpr int kMostDraws = 22;
  const TemporaryFolder folder;
  std::vector<Rect> ours;
  {
    std::ofstream file(folder / "draws.txt");
    for (const auto& size : kSizes)
      for (uint64_t sample = 0; sample < kDrawsPerSize; ++sample) {
        Draw draw(1, 2, sample, DrawFor::kRandomResizedCrop), again = draw;
        ours.push_back(random_resized_crop(size[0], size[1], kScale, kRatio, draw));
        file << size[0] << ' ' << size[1];
        for (int i = 0; i < kMostDraws; ++i) {
          const uint64_t high = again.next();
          file << ' ' << (high << 32 | again.next());
        }
        file << '\n';
      }
  }
  std::istringstream theirs(run_python("pipeline/pixels/crop.py", {folder / "draws.txt"}));
  for (size_t i = 0; i < ours.size(); ++i) {
    Rect rect;
    ASSERT_TRUE(theirs >> rect.left >> rect.top >> rect.width >> rect.height);
    const auto* size = kSizes[i / kDrawsPerSize];
    EXPECT_EQ(ours[i], rect) << "picture " << size[0] << " x " << size[1] << ", sample " << i % kDrawsPerSize;
  }
}

TEST(RandomResizedCrop, StaysWithinThePictureAndItsRanges) {
  constexpr int kCount = 20'000, kWidth = 400, kHeight = 300;
  double area_sum = 0;
  for (uint64_t sample = 0; sample < kCount; ++sample) {
    Draw draw(5, 0, sample, DrawFor::kRandomResizedCrop);
    const Rect rect = random_resized_crop(kWidth, kHeight, kScale, kRatio, draw);
    ASSERT_GE(rect.left, 0);
    ASSERT_GE(rect.top, 0);
    ASSERT_LE(rect.left + rect.width, kWidth);
    ASSERT_LE(rect.top + rect.height, kHeight);
    const double area = static_cast<double>(rect.width) * rect.height / (kWidth * kHeight);
    const double ratio = static_cast<double>(rect.width) / rect.height;
    // Rounding to whole pixels moves both by less than one pixel in the shortest side (about 80).
    ASSERT_GE(area, 0.08 * 0.98);
    ASSERT_GE(ratio, 0.75 * 0.985);
    ASSERT_LE(ratio, 4.0 / 3.0 * 1.015);
    area_sum += area;
  }
  // torchvision's own mean over 20,000 crops of this size is 0.432; five standard errors of either are 0.009.
  EXPECT_NEAR(area_sum / kCount, 0.432, 0.018);
}

TEST(RandomResizedCrop, FallsBackToTheCentre) {
  Draw draw(1, 1, 1, DrawFor::kRandomResizedCrop);
  EXPECT_EQ(random_resized_crop(3, 1000, kScale, kRatio, draw), (Rect{0, 498, 3, 4}));
  EXPECT_EQ(random_resized_crop(1000, 3, kScale, kRatio, draw), (Rect{498, 0, 4, 3}));
  // Nothing this large fits: the whole picture, whose ratio is allowed.
  constexpr double kHuge[2] = {100.0, 200.0};
  EXPECT_EQ(random_resized_crop(40, 30, kHuge, kRatio, draw), (Rect{0, 0, 40, 30}));
}

TEST(ResizeCenterCrop, FollowsTorchvision) {
  // 256 * 500 / 375 = 341.33 is truncated; (341 - 224) / 2 = 58.5 goes to the even 58.
  EXPECT_EQ(resize_center_crop(500, 375, 256, 224), (ResizeCrop{341, 256, {58, 16, 224, 224}, 0, 0}));
  EXPECT_EQ(resize_center_crop(375, 500, 256, 224), (ResizeCrop{256, 341, {16, 58, 224, 224}, 0, 0}));
  // (343 - 224) / 2 = 59.5 goes up to the even 60.
  EXPECT_EQ(resize_center_crop(343, 256, 256, 224).keep.left, 60);
  // Smaller than the crop: padded, the odd pixel to the right.
  EXPECT_EQ(resize_center_crop(10, 10, 7, 10), (ResizeCrop{7, 7, {0, 0, 7, 7}, 1, 1}));
  EXPECT_EQ(resize_center_crop(30, 10, 7, 10), (ResizeCrop{21, 7, {6, 0, 10, 7}, 0, 1}));
}

TEST(ResizeCenterCrop, RefusesWhatWouldHaveMorePixelsAlongASideThanCanBe) {
  // 2^31 / 256 = 8,388,608.
  EXPECT_EQ(resize_center_crop(1, 8'388'607, 256, 224).height, 2'147'483'392);
  for (const auto& [width, height] : {std::pair(1, 9'000'000), std::pair(9'000'000, 1), std::pair(1, 178'956'970)})
    testing::expect_error(ErrorKind::kData,
                          {fmt::format("is {}x{} pixels: too elongated to be resized to 256", width, height)},
                          [&] { resize_center_crop(width, height, 256, 224); });
}

TEST(RandomResizedCrop, StaysWithinThePictureForEveryRangeAndShape) {
  const double scales[][2] = {{0.08, 1}, {1e-300, 1e300}, {1e300, 1e300}},
               ratios[][2] = {{0.75, 1.33}, {1e-300, 1e300}, {1e300, 1e300}};
  for (const auto& [width, height] : {std::pair(1, 178'956'970), std::pair(178'956'970, 1), std::pair(3, 2)})
    for (const auto& scale : scales)
      for (const auto& ratio : ratios) {
        Draw draw(1, 2, 3, DrawFor::kRandomResizedCrop);
        const Rect crop = random_resized_crop(width, height, scale, ratio, draw);
        EXPECT_TRUE(crop.left >= 0 && crop.top >= 0 && crop.width > 0 && crop.height > 0);
        EXPECT_TRUE(crop.width <= width - crop.left && crop.height <= height - crop.top);
      }
}

}  // namespace
}  // namespace resflow
