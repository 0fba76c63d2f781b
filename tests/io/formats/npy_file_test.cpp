#include "io/formats/npy_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(Npy, NumpyMapsIt) {
  if (!testing::python_has({"numpy"})) GTEST_SKIP() << "no /usr/bin/python3 with numpy";
  const TemporaryFolder folder;
  const std::vector<float> rows = {1.5F, -0.25F, 1e-8F, 65504, 0, std::nanf("")};
  std::string f32 = npy_header("<f4", 2, 3), f16 = npy_header("<f2", 3, 2), flat = npy_header("<f4", 6);
  append_f32(rows, f32);
  append_f16(rows, f16);
  append_f32(rows, flat);
  write_text(folder / "f32.npy", f32);
  write_text(folder / "f16.npy", f16);
  write_text(folder / "flat.npy", flat);
  EXPECT_EQ(testing::run_python("io/formats/read_npy.py", {folder / "f32.npy"}),
            "<f4 2 3\n1.5 -0.25 9.99999993922529e-09\n65504.0 0.0 nan\n");
  EXPECT_EQ(testing::run_python("io/formats/read_npy.py", {folder / "f16.npy"}),
            "<f2 3 2\n1.5 -0.25\n0.0 65504.0\n0.0 nan\n");
  EXPECT_EQ(testing::run_python("io/formats/read_npy.py", {folder / "flat.npy"}).substr(0, 9), "<f4 6\n1.5");
}

TEST(Npy, HeaderHasOneSizeForAnyNumberOfRows) {
  for (const int64_t rows : {int64_t{0}, int64_t{7}, INT64_MAX}) {
    const std::string header = npy_header("<f4", rows, 100'000);
    EXPECT_EQ(header.size(), static_cast<size_t>(kNpyHeaderBytes));
    const auto shape = parse_npy_header(header);
    ASSERT_TRUE(shape);
    EXPECT_EQ(shape->descr, "<f4");
    EXPECT_EQ(shape->rows, rows);
    EXPECT_EQ(shape->columns, 100'000);
  }
  EXPECT_FALSE(parse_npy_header(npy_header("<i8", 3))->columns);
}

TEST(Npy, ParsesOnlyItsOwnHeaders) {
  const std::string good = npy_header("<f4", 12, 3);
  EXPECT_FALSE(parse_npy_header({}));
  EXPECT_FALSE(parse_npy_header(good.substr(1)));
  for (size_t i = 0; i < good.size(); ++i) {
    if (good[i] == '\x01') continue;
    std::string other = good;
    other[i] = '\x01';
    EXPECT_FALSE(parse_npy_header(other)) << i;
  }
}

TEST(F16, RoundsAsNumpyDoes) {
  if (!testing::python_has({"numpy"})) GTEST_SKIP() << "no /usr/bin/python3 with numpy";
  const TemporaryFolder folder;
  std::vector<float> values;
  // Every f16 number, what lies half way to the next one, and a bit to both sides.
  for (uint32_t bits = 0; bits < 0x7F80; ++bits) {
    const uint32_t exponent = bits >> 10, fraction = bits & 0x3FFU;
    const float scale = std::ldexp(1.0F, exponent == 0 ? -24 : static_cast<int>(exponent) - 25);
    const float value = scale * static_cast<float>(exponent == 0 ? fraction : fraction + 1024);
    const float half = value + scale / 2;
    for (const float v : {value, half, std::nextafter(half, 0.0F), std::nextafter(half, 1e9F)}) {
      values.push_back(v);
      values.push_back(-v);
    }
  }
  for (const float v : {0.0F, -0.0F, 1e-30F, 1e30F, -1e30F, INFINITY, -INFINITY}) values.push_back(v);
  std::string f32, f16;
  append_f32(values, f32);
  append_f16(values, f16);
  write_text(folder / "f32", f32);
  testing::run_python("io/files/f16_of_f32.py", {folder / "f32", folder / "f16"});
  EXPECT_TRUE(read_text(folder / "f16") == f16);
  EXPECT_TRUE((to_f16(NAN) & 0x7C00U) == 0x7C00U && (to_f16(NAN) & 0x3FFU) != 0);
}

}  // namespace
}  // namespace resflow
