// The draws of the random transforms.
//
// Covers: pipeline/pixels/auto_augment pipeline/pixels/color_jitter pipeline/pixels/erasing
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "pipeline/pixels/auto_augment.h"
#include "pipeline/pixels/color_jitter.h"
#include "pipeline/pixels/erasing.h"
#include "tests/pipeline/pixels/augmentation.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::op_name;
using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

constexpr double kEraseScale[2] = {0.02, 0.33};
constexpr double kEraseRatio[2] = {0.3, 3.3};

// Lines of what torchvision's transform `what` does with the draws.
class AugmentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!python_has({"torch", "torchvision", "PIL", "numpy"})) GTEST_SKIP() << "needs python3-torchvision";
  }

  // Adds a line: what comes before the draws, then `count` of them from `draw` on.
  void add(const std::string& numbers, Draw draw, int count) {
    file_ << numbers;
    for (int i = 0; i < count; ++i) {
      const uint64_t high = draw.next();
      file_ << ' ' << (high << 32 | draw.next());
    }
    file_ << '\n';
  }

  std::istringstream run(const std::string& what) {
    file_.close();
    return std::istringstream(run_python("pipeline/pixels/augment.py", {what, folder_ / "draws.txt"}));
  }

 private:
  TemporaryFolder folder_;
  std::ofstream file_{folder_ / "draws.txt"};
};

// torchvision's magnitudes are f32 by torch.linspace, whose last bit depends on the machine's vectors: 2^-23 of
// themselves, before 1 is added to a factor, and before what follows the point is dropped of a translation.
void expect_same_magnitude(const ImageOp& ours, double theirs) {
  constexpr double kLastBit = 0x1p-23;
  const double slack = std::max(1.0, std::abs(theirs)) * kLastBit;
  const bool is_factor = ours.kind == ImageOpKind::kBrightness || ours.kind == ImageOpKind::kContrast ||
                         ours.kind == ImageOpKind::kSaturation || ours.kind == ImageOpKind::kSharpness;
  if (is_factor) theirs += 1;
  if (ours.kind == ImageOpKind::kTranslateX || ours.kind == ImageOpKind::kTranslateY)
    EXPECT_TRUE(ours.value == std::trunc(theirs - slack) || ours.value == std::trunc(theirs + slack)) << theirs;
  else
    EXPECT_NEAR(ours.value, theirs, slack) << op_name(ours.kind);
}

void expect_same_ops(std::istringstream& theirs, const std::vector<std::vector<ImageOp>>& ours) {
  for (const auto& ops : ours)
    for (const ImageOp& op : ops) {
      std::string name;
      double magnitude = 0;
      ASSERT_TRUE(theirs >> name >> magnitude);
      if (name == "Color") name = "Saturation";
      ASSERT_EQ(op_name(op.kind), name);
      expect_same_magnitude(op, magnitude);
    }
  std::string more;
  EXPECT_FALSE(theirs >> more);
}

TEST_F(AugmentTest, RandAugmentDoesWhatTorchvisionDoesOnTheSameDraws) {
  std::vector<std::vector<ImageOp>> ours;
  for (uint64_t sample = 0; sample < 1500; ++sample) {
    const int count = static_cast<int>(sample % 4), magnitude = static_cast<int>(sample % kAugmentSteps);
    const int width = 32 + static_cast<int>(sample) % 300, height = 224;
    Draw draw(3, 1, sample, DrawFor::kAutoAugment);
    add(fmt::format("{} {} {} {}", count, magnitude, width, height), draw, 2 * count);
    draw_rand_augment(count, magnitude, width, height, draw, ours.emplace_back());
    ASSERT_EQ(ours.back().size(), static_cast<size_t>(count));
  }
  auto theirs = run("rand");
  expect_same_ops(theirs, ours);
}

TEST_F(AugmentTest, TrivialAugmentDoesWhatTorchvisionDoesOnTheSameDraws) {
  std::vector<std::vector<ImageOp>> ours;
  for (uint64_t sample = 0; sample < 3000; ++sample) {
    Draw draw(3, 1, sample, DrawFor::kAutoAugment);
    add("224 200", draw, 3);
    draw_trivial_augment(224, 200, draw, ours.emplace_back());
    ASSERT_EQ(ours.back().size(), 1U);
  }
  auto theirs = run("trivial");
  expect_same_ops(theirs, ours);
}

TEST_F(AugmentTest, ColorJitterDoesWhatTorchvisionDoesOnTheSameDraws) {
  const ColorJitter jitter{0.4, 1.7, 0.25, 0.1};  // contrast down to 0, not below
  const std::vector<ImageOpKind> kinds = {ImageOpKind::kBrightness, ImageOpKind::kContrast, ImageOpKind::kSaturation,
                                          ImageOpKind::kHue};
  constexpr int kOrderDraws = 3;
  std::vector<std::vector<ImageOp>> ours;
  for (uint64_t sample = 0; sample < 1000; ++sample) {
    Draw draw(3, 1, sample, DrawFor::kColorJitter), again = draw;
    draw_color_jitter(jitter, draw, ours.emplace_back());
    ASSERT_EQ(ours.back().size(), 4U);
    std::string numbers = fmt::format("{} {} {} {}", jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue);
    for (const ImageOp& op : ours.back())
      numbers += fmt::format(" {}", std::find(kinds.begin(), kinds.end(), op.kind) - kinds.begin());
    for (int i = 0; i < 2 * kOrderDraws; ++i) again.next();
    add(numbers, again, 4);
  }
  auto theirs = run("jitter");
  for (const auto& ops : ours)
    for (const ImageOp& op : ops) {
      std::string name;
      double value = 0;
      ASSERT_TRUE(theirs >> name >> value);
      name[0] = static_cast<char>(std::toupper(name[0]));
      EXPECT_EQ(op_name(op.kind), name);
      EXPECT_EQ(op.value, value) << name;
    }
}

TEST_F(AugmentTest, ErasingDoesWhatTorchvisionDoesOnTheSameDraws) {
  constexpr int kSizes[][2] = {{224, 224}, {64, 48}, {9, 31}, {3, 3}, {2, 1}, {1, 1}};
  constexpr int kMostDraws = 23;
  std::vector<Rect> ours;
  for (const auto& size : kSizes)
    for (uint64_t sample = 0; sample < 200; ++sample) {
      Draw draw(3, 1, sample, DrawFor::kRandomErasing);
      add(fmt::format("0.75 {} {}", size[0], size[1]), draw, kMostDraws);
      ours.push_back(draw_erasing(0.75, kEraseScale, kEraseRatio, size[0], size[1], draw));
    }
  auto theirs = run("erase");
  int erased = 0;
  for (Rect rect : ours) {
    Rect wanted;
    ASSERT_TRUE(theirs >> wanted.left >> wanted.top >> wanted.width >> wanted.height);
    if (rect.width == 0 || rect.height == 0) rect = {};
    EXPECT_EQ(rect, wanted);
    erased += rect.width > 0 ? 1 : 0;
  }
  EXPECT_GT(erased, 400);
}

TEST(AutoAugment, EveryOperationIsAsLikelyAndHasBothSides) {
  constexpr int kCount = 28'000;
  std::map<ImageOpKind, int> counts, sides;
  std::vector<ImageOp> ops;
  for (uint64_t sample = 0; sample < kCount / 2; ++sample) {
    Draw draw(5, 0, sample, DrawFor::kAutoAugment);
    draw_rand_augment(2, 9, 224, 224, draw, ops);
  }
  ASSERT_EQ(ops.size(), static_cast<size_t>(kCount));
  for (const ImageOp& op : ops) {
    ++counts[op.kind];
    if (op == augment_op(AutoAugment::kRandAugment, op.kind, 9, 224, 224)) ++sides[op.kind];
  }
  ASSERT_EQ(counts.size(), 14U);
  for (const auto& [kind, count] : counts) {
    EXPECT_NEAR(count, kCount / 14, 5 * 43.1) << op_name(kind);  // five standard deviations of a binomial count
    const bool one_sided = kind == ImageOpKind::kIdentity || kind == ImageOpKind::kPosterize ||
                           kind == ImageOpKind::kSolarize || kind == ImageOpKind::kAutoContrast ||
                           kind == ImageOpKind::kEqualize;
    if (one_sided)
      EXPECT_EQ(sides[kind], count) << op_name(kind);
    else
      EXPECT_NEAR(sides[kind], count / 2, 5 * 22.4) << op_name(kind);
  }
}

TEST(ColorJitter, EveryOrderIsAsLikely) {
  std::map<std::vector<ImageOpKind>, int> counts;
  constexpr int kCount = 24'000;
  for (uint64_t sample = 0; sample < kCount; ++sample) {
    Draw draw(5, 0, sample, DrawFor::kColorJitter);
    std::vector<ImageOp> ops;
    draw_color_jitter({0.1, 0.1, 0.1, 0.1}, draw, ops);
    std::vector<ImageOpKind> order;
    for (const ImageOp& op : ops) order.push_back(op.kind);
    ++counts[order];
  }
  ASSERT_EQ(counts.size(), 24U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, kCount / 24, 5 * 31);  // five standard deviations
}

TEST(ColorJitter, OneThatIsOffChangesNothingAboutTheOthers) {
  std::vector<ImageOp> all, three;
  Draw first(5, 0, 7, DrawFor::kColorJitter), second = first;
  draw_color_jitter({0.4, 0.3, 0.2, 0.1}, first, all);
  draw_color_jitter({0.4, 0, 0.2, 0.1}, second, three);
  std::erase_if(all, [](const ImageOp& op) { return op.kind == ImageOpKind::kContrast; });
  EXPECT_EQ(all, three);
}

TEST(ColorJitter, RefusesWhatCannotBe) {
  EXPECT_THROW(check(ColorJitter{-0.1, 0, 0, 0}), Error);
  EXPECT_THROW(check(ColorJitter{0, NAN, 0, 0}), Error);
  EXPECT_THROW(check(ColorJitter{0, 0, INFINITY, 0}), Error);
  EXPECT_THROW(check(ColorJitter{0, 0, 0, 0.51}), Error);
  EXPECT_NO_THROW(check(ColorJitter{2, 1, 0, 0.5}));
}

TEST(Erasing, HappensAsOftenAsAskedForAndStaysWithinItsRanges) {
  constexpr int kCount = 20'000, kWidth = 400, kHeight = 300;
  int erased = 0;
  double area_sum = 0;
  for (uint64_t sample = 0; sample < kCount; ++sample) {
    Draw draw(5, 0, sample, DrawFor::kRandomErasing);
    const Rect rect = draw_erasing(0.25, kEraseScale, kEraseRatio, kWidth, kHeight, draw);
    if (rect.width == 0) continue;
    ++erased;
    ASSERT_GE(rect.left, 0);
    ASSERT_GE(rect.top, 0);
    ASSERT_LE(rect.left + rect.width, kWidth);
    ASSERT_LE(rect.top + rect.height, kHeight);
    area_sum += static_cast<double>(rect.width) * rect.height / (kWidth * kHeight);
  }
  EXPECT_NEAR(erased, kCount / 4, 5 * 61.3);  // five standard deviations
  // Uniform between 0.02 and 0.33, but for the few large flat ones that do not fit: 0.175 less a little.
  EXPECT_NEAR(area_sum / erased, 0.172, 0.01);
}

TEST(Erasing, SetsItsRectangleToZeroAndNothingElse) {
  std::vector<float> planes(3 * 5 * 7, 1);
  erase({2, 1, 3, 4}, 7, 5, planes.data());
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 5; ++y)
      for (int x = 0; x < 7; ++x)
        EXPECT_EQ(planes[static_cast<size_t>((c * 5 + y) * 7 + x)], x >= 2 && x < 5 && y >= 1 ? 0 : 1);
}

}  // namespace
}  // namespace resflow
