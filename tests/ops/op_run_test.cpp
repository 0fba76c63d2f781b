// What the tests of ops stand on, on every CPU: op_run.h's rounding to the storages that some CPUs alone compute in,
// and the f64 loops on such values.
#include "tests/ops/op_run.h"

#include <gtest/gtest.h>

#include <cmath>

namespace resflow::testing {
namespace {

constexpr Storage kStoredBf16 = {Type::bf16, 1};

TEST(Snapped, F32KeepsAFloat) {
  EXPECT_EQ(snapped(1.0F / 3, {}), 1.0F / 3);
  EXPECT_EQ(snapped(1.0 / 3, {}), 1.0F / 3);
  EXPECT_EQ(snapped(0, {}), 0);
}

TEST(Snapped, Bf16KeepsEightDigits) {
  for (const double whole : {1.0, -1.0, 255.0, 0.5, 0x1.fep127, -0x1p-126})
    EXPECT_EQ(snapped(whole, kStoredBf16), whole) << whole;
  EXPECT_EQ(snapped(257, kStoredBf16), 256);  // between 256 and 258: to the even digit
  EXPECT_EQ(snapped(259, kStoredBf16), 260);
  EXPECT_EQ(snapped(-259, kStoredBf16), -260);
  EXPECT_EQ(snapped(257.1, kStoredBf16), 258);
  EXPECT_EQ(snapped(0, kStoredBf16), 0);
  EXPECT_EQ(snapped(-0.0, kStoredBf16), 0);
}

// Smallest and largest values that f32 has: their exponents are at the ends of what an int is asked to hold.
TEST(Snapped, Bf16TakesEveryFloat) {
  EXPECT_EQ(snapped(std::numeric_limits<float>::max(), kStoredBf16), 0x1p128);
  const double smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_NEAR(snapped(smallest, kStoredBf16), smallest, 0x1p-8 * smallest);
}

TEST(Snapped, EightBitsHaveTheirScaleAndRange) {
  const Storage u8 = {Type::u8, 0.5F}, s8 = {Type::s8, 0.25F};
  EXPECT_EQ(snapped(3.1, u8), 3.0);
  EXPECT_EQ(snapped(-1, u8), 0);
  EXPECT_EQ(snapped(1000, u8), 127.5);
  EXPECT_EQ(snapped(-3.1, s8), -3.0);
  EXPECT_EQ(snapped(-1000, s8), -32);
  EXPECT_EQ(snapped(1000, s8), 31.75);
  EXPECT_EQ(snapped(0, s8), 0);
}

TEST(Snapped, IsAFixedPoint) {
  for (const Storage& storage : {Storage{}, kStoredBf16, Storage{Type::u8, 0.01F}, Storage{Type::s8, 0.02F}})
    for (int i = -300; i <= 300; ++i) {
      const double once = snapped(0.0137 * i, storage);
      EXPECT_EQ(snapped(once, storage), once) << i;
    }
}

// The tests of bf16 and 8 bits skip where oneDNN has nothing for them. Their inputs and references are made all the
// same, of every kind of op and storage, so that a mistake in these shows on every CPU.
TEST(References, ComputeOnWhatEveryStorageHolds) {
  for (OpCase c : op_cases()) {
    if (c.bench || c.mean != 0) continue;
    for (const Storage& storage : {kStoredBf16, Storage{Type::u8, 0.02F}, Storage{Type::s8, 0.03F}}) {
      OpCase stored = c;
      Values values;
      std::mt19937 generator(5);
      std::normal_distribution<double> normal;
      const auto draw = [&](int64_t count) {
        Doubles drawn(static_cast<size_t>(count));
        for (double& x : drawn) x = snapped(normal(generator), storage);
        return drawn;
      };
      values.src.push_back(draw(element_count(stored.src)));
      for (const double x : values.src[0]) ASSERT_TRUE(std::isfinite(x)) << stored.name;
      if (stored.kind == Kind::kRelu) {
        const Doubles dst = reference_dst(stored, values, every_point(dst_dims(stored)));
        for (size_t i = 0; i < dst.size(); ++i) ASSERT_EQ(dst[i], std::max(0.0, values.src[0][i])) << stored.name;
      }
      if (stored.kind == Kind::kMaxPool) {
        for (const double x : reference_dst(stored, values, every_point(dst_dims(stored))))
          ASSERT_EQ(x, snapped(x, storage)) << stored.name;  // one of the values that it was made of
      }
    }
  }
}

}  // namespace
}  // namespace resflow::testing
