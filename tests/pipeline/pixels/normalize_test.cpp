// Covers: pipeline/pixels/normalize_avx512
#include "pipeline/pixels/normalize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "io/core/error.h"
#include "pipeline/pixels/random.h"

namespace resflow {
namespace {

constexpr float kMean[3] = {0.485F, 0.456F, 0.406F};
constexpr float kStd[3] = {0.229F, 0.224F, 0.225F};

TEST(Normalizer, EveryWidthAndFlipGivesTheFormulaInF32) {
  for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni}) {
    if (isa > cpu_isa()) break;
    const Normalizer normalizer(kMean, kStd, isa);
    for (const int width : {1, 15, 16, 17, 31, 48, 224, 255})
      for (const bool flip : {false, true}) {
        constexpr int kHeight = 3;
        const size_t plane = static_cast<size_t>(width) * kHeight;
        std::vector<uint8_t> pixels(plane * 3);
        for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37 + i / 256);
        std::vector<float> got(plane * 3, -1);
        normalizer.run(pixels.data(), width, kHeight, flip, got.data());
        for (size_t c = 0; c < 3; ++c)
          for (int y = 0; y < kHeight; ++y)
            for (int x = 0; x < width; ++x) {
              const int from = flip ? width - 1 - x : x;
              const float unit = static_cast<float>(pixels[static_cast<size_t>(y * width + from) * 3 + c]) / 255.0F;
              const float centred = unit - kMean[c];
              ASSERT_EQ(got[c * plane + static_cast<size_t>(y * width + x)], centred / kStd[c])
                  << width << " wide, x " << x << ", flip " << flip;
            }
      }
  }
}

TEST(Normalizer, AnyMeanAndDeviationGiveTheBitsOfADivision) {
  std::vector<uint8_t> pixels(256 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i / 3);
  Draw draw(1, 1, 1, DrawFor::kOrder);
  for (int i = 0; i < 500; ++i) {
    float mean[3], std[3];
    for (int c = 0; c < 3; ++c) {
      mean[c] = static_cast<float>(draw.uniform(-1, 1));
      std[c] = static_cast<float>(std::exp(draw.uniform(-60, 60)));
    }
    std::vector<float> got(256 * 3);
    Normalizer(mean, std).run(pixels.data(), 256, 1, false, got.data());
    for (size_t c = 0; c < 3; ++c)
      for (size_t value = 0; value < 256; ++value) {
        const float unit = static_cast<float>(value) / 255.0F;
        const float centred = unit - mean[c];
        ASSERT_EQ(got[c * 256 + value], centred / std[c]) << "mean " << mean[c] << ", std " << std[c];
      }
  }
}

TEST(Normalizer, RefusesWhatItCannotDivideBy) {
  const float zero[3] = {0.2F, 0.0F, 0.2F}, negative[3] = {0.2F, 0.2F, -1.0F};
  const float nan[3] = {std::numeric_limits<float>::quiet_NaN(), 0.2F, 0.2F};
  EXPECT_THROW(Normalizer(kMean, zero), Error);
  EXPECT_THROW(Normalizer(kMean, negative), Error);
  EXPECT_THROW(Normalizer(kMean, nan), Error);
  EXPECT_THROW(Normalizer(nan, kStd), Error);
}

}  // namespace
}  // namespace resflow
