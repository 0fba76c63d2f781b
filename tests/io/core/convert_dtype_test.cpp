// Covers: io/core/not_finite
#include "io/core/convert_dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "io/core/not_finite.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;

template <class T>
std::vector<T> read_values(const std::string& path) {
  const std::string bytes = testing::read_text(path);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Every pattern of 16 bits.
Array all_patterns(DType dtype) {
  Array array(dtype, {256, 256});
  for (size_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    std::memcpy(array.raw() + 2 * i, &bits, sizeof bits);
  }
  return array;
}

// To the bit, but for which NaN it is: processors differ in that.
void expect_equal(const Array& got, const std::vector<float>& wanted) {
  ASSERT_EQ(got.dtype(), DType::kF32);
  ASSERT_EQ(static_cast<size_t>(got.size()), wanted.size());
  const auto values = got.values<float>();
  size_t different = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const bool same = std::isnan(wanted[i])
                          ? std::isnan(values[i]) && std::signbit(values[i]) == std::signbit(wanted[i])
                          : std::memcmp(&values[i], &wanted[i], sizeof(float)) == 0;
    if (!same && ++different < 10) ADD_FAILURE() << "value " << i << ": " << values[i] << ", wanted " << wanted[i];
  }
  EXPECT_EQ(different, 0U);
}

TEST(ConvertDtype, EveryHalfAndEdgesOfDoubleAreNumPysAndPyTorchs) {
  if (!testing::python_has({"torch", "numpy"})) GTEST_SKIP() << "no PyTorch and NumPy in /usr/bin/python3";
  const TemporaryFolder folder;
  testing::run_python("io/files/as_f32.py", {folder.path().string()});
  const Array half = as_model_dtype(all_patterns(DType::kF16));
  EXPECT_EQ(half.dims(), (Dims{256, 256}));
  expect_equal(half, read_values<float>(folder / "f16.f32"));
  expect_equal(as_model_dtype(all_patterns(DType::kBF16)), read_values<float>(folder / "bf16.f32"));
  const auto doubles = read_values<double>(folder / "f64.in");
  ASSERT_GT(doubles.size(), 40000U);
  expect_equal(as_model_dtype(Array::from<double>({static_cast<int64_t>(doubles.size())}, doubles)),
               read_values<float>(folder / "f64.f32"));
}

TEST(ConvertDtype, KnownHalves) {
  const std::vector<std::pair<uint16_t, float>> known = {
      {0x0000, 0.0F},     {0x3C00, 1.0F},       {0xC000, -2.0F},    {0x7BFF, 65504.0F},
      {0x0001, 0x1p-24F}, {0x03FF, 0x3FFp-24F}, {0x0400, 0x1p-14F}, {0xFC00, -std::numeric_limits<float>::infinity()}};
  const Array converted = as_model_dtype(all_patterns(DType::kF16));
  for (const auto& [bits, value] : known) EXPECT_EQ(converted.values<float>()[bits], value) << bits;
  EXPECT_TRUE(std::signbit(converted.values<float>()[0x8000]));
}

TEST(ConvertDtype, IntegersBecomeWideAndTheRestStaysAsItIs) {
  const std::vector<uint8_t> bytes = {0, 255};
  EXPECT_EQ(as_model_dtype(Array::from<uint8_t>({2}, bytes)), Array::from<int64_t>({2}, std::vector<int64_t>{0, 255}));
  const std::vector<int32_t> ints = {std::numeric_limits<int32_t>::min(), -1, 7};
  EXPECT_EQ(as_model_dtype(Array::from<int32_t>({3}, ints)),
            Array::from<int64_t>({3}, std::vector<int64_t>{std::numeric_limits<int32_t>::min(), -1, 7}));
  const std::vector<float> floats = {1.5F, std::nanf("0x123"), -0.0F};
  EXPECT_EQ(as_model_dtype(Array::from<float>({3}, floats)), Array::from<float>({3}, floats));
  EXPECT_EQ(as_model_dtype(Array(DType::kF16, {0, 3})), Array(DType::kF32, {0, 3}));
  const int64_t one = 1;
  EXPECT_EQ(as_model_dtype(Array::from<int64_t>({}, {&one, 1})), Array::from<int64_t>({}, {&one, 1}));
}

TEST(ConvertDType, ATensorTakesItsPlaceInAModel) {
  const std::vector<float> counts = {7.0F};
  const Array seven = Array::from<int64_t>({}, std::vector<int64_t>{7});
  EXPECT_EQ(as_model_tensor(Array::from<float>({1}, counts), DType::kI64, {}), seven);
  EXPECT_EQ(as_model_tensor(Array::from<int32_t>({1, 1}, std::vector<int32_t>{7}), DType::kI64, {}), seven);
  const std::vector<float> odd = {2.6F, -2.6F, std::nanf(""), 1e30F, -1e30F};
  EXPECT_EQ(as_model_tensor(Array::from<float>({5}, odd), DType::kI64, {5}),
            Array::from<int64_t>({5}, std::vector<int64_t>{3, -3, 0, std::numeric_limits<int64_t>::max(),
                                                           std::numeric_limits<int64_t>::min()}));
  EXPECT_THROW(as_model_tensor(Array(DType::kI64, {2}), DType::kF32, {2}), Error);
  EXPECT_THROW(as_model_tensor(Array(DType::kF32, {2}), DType::kF32, {3}), Error);
}

TEST(NotFinite, CountsAreThoseOfTheFormats) {
  // Of each sign: exponent all ones with fraction 0 is infinite, with any other NaN.
  const NotFinite half = count_not_finite(all_patterns(DType::kF16));
  EXPECT_EQ(half.infinite, 2);
  EXPECT_EQ(half.nan, 2 * 1023);
  const NotFinite brain = count_not_finite(all_patterns(DType::kBF16));
  EXPECT_EQ(brain.infinite, 2);
  EXPECT_EQ(brain.nan, 2 * 127);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const NotFinite single = count_not_finite(
      Array::from<float>({5}, std::vector<float>{kInf, -kInf, std::nanf(""), 0, std::numeric_limits<float>::max()}));
  EXPECT_EQ(single.infinite, 2);
  EXPECT_EQ(single.nan, 1);
  const NotFinite wide = count_not_finite(
      Array::from<double>({4}, std::vector<double>{1e300, -std::nan(""), std::numeric_limits<double>::infinity(), -1}));
  EXPECT_EQ(wide.infinite, 1);
  EXPECT_EQ(wide.nan, 1);
  EXPECT_EQ(count_not_finite(Array::from<int64_t>({1}, std::vector<int64_t>{-1})).total(), 0);
  EXPECT_EQ(count_not_finite(Array()).total(), 0);
}

}  // namespace
}  // namespace resflow
