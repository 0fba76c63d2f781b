#include "io/core/array.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

TEST(Array, StartsAsAlignedZeros) {
  const Array array(DType::kF32, {3, 5, 7});
  EXPECT_EQ(array.size(), 105);
  EXPECT_EQ(array.bytes(), 420U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array.raw()) % 64, 0U);
  for (const float value : array.values<float>()) EXPECT_EQ(value, 0.0F);
}

TEST(Array, WithoutDimsIsOneElement) {
  EXPECT_EQ(Array(DType::kI64, {}).size(), 1);
  EXPECT_EQ(Array().size(), 0);
  EXPECT_TRUE(Array(DType::kF64, {4, 0}).empty());
}

TEST(Array, CopiesAreEqualAndIndependent) {
  const Array first = Array::from<int32_t>({2, 2}, std::array<int32_t, 4>{1, 2, 3, 4});
  Array second = first;
  EXPECT_EQ(first, second);
  second.values<int32_t>()[3] = 5;
  EXPECT_FALSE(first == second);
  second = first;
  EXPECT_EQ(first, second);
  EXPECT_FALSE(first == Array::from<int32_t>({4}, first.values<int32_t>()));
}

TEST(Array, RefusesAnotherDtypeAndAnotherCount) {
  Array array(DType::kF32, {2});
  expect_error(ErrorKind::kInternal, {"f32", "i64"}, [&] { array.values<int64_t>(); });
  expect_error(ErrorKind::kInternal, {"3 values", "(2)"}, [] {
    Array::from<float>({2}, std::array<float, 3>{1, 2, 3});
  });
}

TEST(Array, RefusesImpossibleDims) {
  expect_error(ErrorKind::kInternal, {"(-1)"}, [] { Array(DType::kF32, {-1}); });
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  expect_error(ErrorKind::kInternal, {"no dims"}, [] { Array(DType::kF32, {kHuge, 2}); });
  expect_error(ErrorKind::kSystem, {"no memory"}, [] { Array(DType::kF32, {kHuge}); });
  expect_error(ErrorKind::kSystem, {"no memory"}, [] { Array(DType::kU8, {int64_t{1} << 60}); });
}

TEST(DType, NamesGoBothWays) {
  for (const DType dtype : {DType::kU8, DType::kI32, DType::kI64, DType::kBF16, DType::kF16, DType::kF32, DType::kF64})
    EXPECT_EQ(dtype_from_name(dtype_name(dtype)), dtype);
  expect_error(ErrorKind::kData, {"'f31'"}, [] { dtype_from_name("f31"); });
}

TEST(Array, UnsetOnesHoldWhatIsWrittenAndZerosAreZero) {
  for (const int64_t count : {0, 3, 100'000, 1'048'576, 1'500'001}) {
    Array array = Array::unset(DType::kF32, {count});
    EXPECT_EQ(array.dims(), Dims({count}));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(array.raw()) % 64, 0U);
    for (float& value : array.values<float>()) value = 1;
    const Array copy = array;
    EXPECT_TRUE(copy == array);
    array = Array();
    const Array zeros(DType::kF32, {count});
    for (const float value : zeros.values<float>()) ASSERT_EQ(value, 0);
  }
  EXPECT_THROW(Array::unset(DType::kF32, {int64_t{1} << 50}), Error);
}

}  // namespace
}  // namespace resflow
