// Covers: pipeline/pixels/beta
#include "pipeline/pixels/mix.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "pipeline/pixels/beta.h"
#include "pipeline/pixels/random.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;
using Kind = MixDraw::Kind;

struct Mixed {
  std::vector<float> pixels;  // (rows, 3, size, size)
  std::vector<int32_t> labels;
  std::vector<float> targets;
};

Mixed batch_of(int rows, int size, int classes, uint64_t seed) {
  Mixed batch;
  Draw draw(seed, 0, 0, DrawFor::kOrder);
  batch.pixels.resize(static_cast<size_t>(rows) * 3 * static_cast<size_t>(size * size));
  for (float& value : batch.pixels) value = static_cast<float>(draw.uniform(-3, 3));
  for (int row = 0; row < rows; ++row) batch.labels.push_back(static_cast<int32_t>(draw.integer(0, classes - 1)));
  batch.targets.resize(static_cast<size_t>(rows * classes), -1);
  return batch;
}

void mix(const MixDraw& draw, Mixed& batch, int size, int classes) {
  mix_pixels(draw, batch.pixels.data(), static_cast<int>(batch.labels.size()), size);
  mix_targets(draw, batch.labels, classes, batch.targets.data());
}

TEST(Mix, EqualsPyTorchsArithmeticToTheBit) {
  if (!python_has({"torch", "numpy"})) GTEST_SKIP() << "needs python3-torch";
  constexpr int kShapes[][3] = {{1, 5, 2}, {2, 1, 2}, {3, 32, 4}, {7, 65, 10}, {16, 48, 3}};  // rows, size, classes
  const MixOptions options{0.2, 1.0};
  const TemporaryFolder folder;
  std::vector<Mixed> ours;
  int kinds[3] = {};
  {
    std::ofstream source(folder / "source.raw", std::ios::binary), list(folder / "cases.txt");
    for (const auto& [rows, size, classes] : kShapes)
      for (uint64_t number = 0; number < 13; ++number) {
        const MixDraw draw = number == 12 ? MixDraw{} : draw_mix(options, size, 1, 2, number);
        ++kinds[static_cast<size_t>(draw.kind)];
        Mixed batch = batch_of(rows, size, classes, number);
        list << fmt::format("{} {} {} {} {} {} {} {} {}\n",
                            draw.kind == Kind::kNone    ? "none"
                            : draw.kind == Kind::kMixup ? "mixup"
                                                        : "cutmix",
                            rows, size, classes, draw.lambda, draw.box.left, draw.box.top, draw.box.width,
                            draw.box.height);
        source.write(reinterpret_cast<const char*>(batch.pixels.data()),
                     static_cast<std::streamsize>(batch.pixels.size() * sizeof(float)));
        source.write(reinterpret_cast<const char*>(batch.labels.data()),
                     static_cast<std::streamsize>(batch.labels.size() * sizeof(int32_t)));
        mix(draw, batch, size, classes);
        ours.push_back(std::move(batch));
      }
  }
  for (const int count : kinds) EXPECT_GE(count, 5);
  run_python("pipeline/pixels/mix.py", {folder.path().string()});
  std::vector<uint8_t> buffer;
  auto theirs = read_file(folder / "mixed.raw", buffer);
  for (size_t i = 0; i < ours.size(); ++i)
    for (const auto* values : {&ours[i].pixels, &ours[i].targets}) {
      const size_t bytes = values->size() * sizeof(float);
      ASSERT_GE(theirs.size(), bytes);
      EXPECT_EQ(std::memcmp(values->data(), theirs.data(), bytes), 0)
          << "case " << i << (values == &ours[i].pixels ? ", pixels" : ", targets");
      theirs = theirs.subspan(bytes);
    }
  EXPECT_TRUE(theirs.empty());
}

TEST(Mix, TheBitsDoNotDependOnThreads) {
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, 8);
  for (const MixOptions& options : {MixOptions{1, 0}, MixOptions{0, 1}}) {
    const MixDraw draw = draw_mix(options, 96, 1, 2, 3);
    Mixed wanted;
    for (const int threads : {1, 2, 8}) {
      Mixed batch = batch_of(9, 96, 5, 4);
      tbb::task_arena(threads).execute([&] { mix(draw, batch, 96, 5); });
      if (threads == 1) wanted = batch;
      EXPECT_EQ(batch.pixels, wanted.pixels);
      EXPECT_EQ(batch.targets, wanted.targets);
    }
    EXPECT_NE(wanted.pixels, batch_of(9, 96, 5, 4).pixels);
  }
}

TEST(Mix, EveryPartOfTheKeyChangesTheDraw) {
  const MixOptions options{0.4, 0};
  const double first = draw_mix(options, 224, 1, 2, 3).lambda;
  EXPECT_EQ(draw_mix(options, 224, 1, 2, 3).lambda, first);
  EXPECT_NE(draw_mix(options, 224, 2, 2, 3).lambda, first);
  EXPECT_NE(draw_mix(options, 224, 1, 3, 3).lambda, first);
  EXPECT_NE(draw_mix(options, 224, 1, 2, 4).lambda, first);
  EXPECT_EQ(draw_mix({}, 224, 1, 2, 3).kind, Kind::kNone);
}

TEST(Mix, BothAreChosenAlikeOftenAndOneAloneAlways) {
  constexpr int kCount = 10'000;
  int mixups = 0;
  for (uint64_t batch = 0; batch < kCount; ++batch) {
    mixups += draw_mix({0.2, 1}, 32, 1, 0, batch).kind == Kind::kMixup ? 1 : 0;
    ASSERT_EQ(draw_mix({0.2, 0}, 32, 1, 0, batch).kind, Kind::kMixup);
    ASSERT_EQ(draw_mix({0, 1}, 32, 1, 0, batch).kind, Kind::kCutmix);
  }
  EXPECT_NEAR(mixups, kCount / 2, 5 * 50);  // five standard deviations
}

TEST(Mix, CutmixsBoxLiesWithinThePictureAndLambdaIsWhatItLeaves) {
  constexpr int kCount = 20'000, kSize = 1000;
  double cut_sum = 0;
  for (uint64_t batch = 0; batch < kCount; ++batch) {
    const MixDraw draw = draw_mix({0, 1}, kSize, 1, 0, batch);
    ASSERT_GE(draw.box.left, 0);
    ASSERT_GE(draw.box.top, 0);
    ASSERT_LE(draw.box.left + draw.box.width, kSize);
    ASSERT_LE(draw.box.top + draw.box.height, kSize);
    const double cut = static_cast<double>(draw.box.width) * draw.box.height / (kSize * kSize);
    ASSERT_DOUBLE_EQ(draw.lambda, 1 - cut);
    cut_sum += cut;
  }
  // With alpha 1 lambda is uniform. A side of half r = sqrt(1 - lambda) / 2, cut off at the border, keeps 2 r - r^2 of
  // the picture's on average: its square's mean over lambda is 1/2 - 1/5 + 1/48. Five standard errors (0.22 each),
  // and one pixel of rounding in a thousand.
  EXPECT_NEAR(cut_sum / kCount, 1.0 / 2 - 1.0 / 5 + 1.0 / 48, 5 * 0.22 / 141 + 0.001);
}

TEST(Mix, TargetsSumToOne) {
  std::vector<float> targets(3 * 4);
  const std::vector<int32_t> labels = {2, 0, 0};
  mix_targets({Kind::kMixup, 0.75, {}}, labels, 4, targets.data());
  EXPECT_EQ(targets, (std::vector<float>{0.25F, 0, 0.75F, 0, 0.75F, 0, 0.25F, 0, 1, 0, 0, 0}));
}

TEST(Mix, RefusesWhatCannotBe) {
  EXPECT_THROW(check(MixOptions{-1, 0}), Error);
  EXPECT_THROW(check(MixOptions{0, NAN}), Error);
  EXPECT_THROW(check(MixOptions{INFINITY, 0}), Error);
  EXPECT_NO_THROW(check(MixOptions{0.2, 1}));
}

TEST(Beta, HasItsMeanAndVariance) {
  constexpr int kCount = 100'000;
  for (const double alpha : {1e-6, 0.01, 0.2, 0.5, 1.0, 2.0, 8.0, 1000.0}) {
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < kCount; ++i) {
      Draw draw(1, 0, i, DrawFor::kMix);
      const double value = draw_beta(alpha, draw);
      ASSERT_GE(value, 0.0);
      ASSERT_LE(value, 1.0);
      sum += value - 0.5;
      squares += (value - 0.5) * (value - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    // Five standard errors; the fourth moment is at most three times the variance squared.
    EXPECT_NEAR(sum / kCount, 0, 5 * std::sqrt(variance / kCount)) << alpha;
    EXPECT_NEAR(squares / kCount, variance, 5 * variance * std::sqrt(2.0 / kCount)) << alpha;
  }
}

// Where its distribution has a plain formula: alpha 1/2, 1 and 2.
TEST(Beta, HasItsDistribution) {
  constexpr int kCount = 100'000, kBuckets = 20;
  const auto below = [](double alpha, double x) {
    if (alpha == 0.5) return 2 / M_PI * std::asin(std::sqrt(x));
    return alpha == 1 ? x : x * x * (3 - 2 * x);
  };
  for (const double alpha : {0.5, 1.0, 2.0}) {
    std::vector<int> counts(kBuckets);
    for (uint64_t i = 0; i < kCount; ++i) {
      Draw draw(2, 0, i, DrawFor::kMix);
      ++counts[std::min<size_t>(static_cast<size_t>(draw_beta(alpha, draw) * kBuckets), kBuckets - 1)];
    }
    for (int bucket = 0; bucket < kBuckets; ++bucket) {
      const double p = below(alpha, (bucket + 1.0) / kBuckets) - below(alpha, static_cast<double>(bucket) / kBuckets);
      EXPECT_NEAR(counts[static_cast<size_t>(bucket)], kCount * p, 5 * std::sqrt(kCount * p * (1 - p)))
          << "alpha " << alpha << ", bucket " << bucket;
    }
  }
}

}  // namespace
}  // namespace resflow
