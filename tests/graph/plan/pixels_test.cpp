#include "graph/plan/pixels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "io/core/error.h"
#include "ops/compute.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

constexpr int64_t kRows = 2, kBatch = 3, kHeight = 5, kWidth = 67;  // wider than a piece that is converted at a time
constexpr int64_t kPlane = kHeight * kWidth, kPicture = 3 * kPlane;

std::vector<float> two_pictures() {
  std::vector<float> pixels(static_cast<size_t>(kRows * kPicture));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i)) * 3;
  return pixels;
}

template <class Value>
std::vector<Value> written(Type type, Tag tag, float scale, const std::vector<float>& pixels) {
  std::vector<Value> buffer(static_cast<size_t>(kBatch * kPicture), Value{77});
  const Pixels input(Desc({kBatch, 3, kHeight, kWidth}, type, tag), scale);
  Compute(2).run([&] { input.write(pixels.data(), kRows, buffer.data()); });
  return buffer;
}

// The place of value i of (N,3,H,W) in nhwc.
size_t interleaved(size_t i) {
  const auto plane = static_cast<size_t>(kPlane), picture = 3 * plane;
  return i / picture * picture + i % plane * 3 + i % picture / plane;
}

float of_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16U); }

TEST(Pixels, F32AreCopiedAndTheRestIsZero) {
  const std::vector<float> pixels = two_pictures();
  const std::vector<float> got = written<float>(Type::f32, Tag::nchw, 1, pixels);
  for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], i < pixels.size() ? pixels[i] : 0) << i;
}

// A portable twin of what plans in bf16 and int8 do on CPUs that have them.
TEST(Pixels, Bf16AreTheNearest) {
  std::vector<float> pixels = two_pictures();
  pixels[0] = 257;  // between two: to the even digit
  pixels[1] = 259;
  pixels[2] = std::numeric_limits<float>::quiet_NaN();
  pixels[3] = std::bit_cast<float>(0x7f800001U);  // a NaN whose digits are all in the lower half
  for (const Tag tag : {Tag::nchw, Tag::nhwc}) {
    const auto got = written<uint16_t>(Type::bf16, tag, 1, pixels);
    const auto at = [&](size_t i) { return of_bf16(got[tag == Tag::nhwc ? interleaved(i) : i]); };
    EXPECT_EQ(at(0), 256);
    EXPECT_EQ(at(1), 260);
    EXPECT_TRUE(std::isnan(at(2)));
    EXPECT_TRUE(std::isnan(at(3)));
    for (size_t i = 4; i < got.size(); ++i) {
      const float wanted = i < pixels.size() ? pixels[i] : 0;
      ASSERT_LE(std::abs(at(i) - wanted), 0x1p-8F * std::abs(wanted)) << i;
    }
  }
}

TEST(Pixels, EightBitsAreTheNearestWithinTheirRange) {
  std::vector<float> pixels = two_pictures();
  pixels[0] = 100;
  pixels[1] = -100;
  const auto got = written<int8_t>(Type::s8, Tag::nhwc, 0.025F, pixels);
  EXPECT_EQ(got[interleaved(0)], 127);
  EXPECT_EQ(got[interleaved(1)], -127);
  for (size_t i = 2; i < got.size(); ++i) {
    const float wanted = i < pixels.size() ? std::clamp(pixels[i] / 0.025F, -127.0F, 127.0F) : 0;
    ASSERT_NEAR(got[interleaved(i)], wanted, 0.5001) << i;
  }
}

TEST(Pixels, OtherLayoutsTakeAReorder) {
  EXPECT_FALSE(Pixels::can_write(Desc({2, 3, 4, 4}, Type::f32, Tag::nhwc)));
  EXPECT_FALSE(Pixels::can_write(Desc({2, 3, 4, 4}, Type::s8, Tag::nchw)));
  EXPECT_FALSE(Pixels::can_write(Desc({2, 16, 4, 4}, Type::f32, Tag::nChw16c)));
  EXPECT_THROW(Pixels(Desc({2, 3, 4, 4}, Type::f32, Tag::nhwc), 1), Error);
}

}  // namespace
}  // namespace resflow
