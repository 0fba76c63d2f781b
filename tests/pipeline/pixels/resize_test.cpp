// Covers: pipeline/pixels/resize_avx2 pipeline/pixels/resize_avx512
#include "pipeline/pixels/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "pipeline/pixels/random.h"
#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

constexpr Isa kAll[] = {Isa::kPlain, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni};

// Noise, with the extremes more frequent than they would be: a sum that overflows shows there.
Image noise_with_extremes(int width, int height) {
  Draw draw(1, static_cast<uint64_t>(width), static_cast<uint64_t>(height), DrawFor::kOrder);
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y)
    for (size_t x = 0; x < image.row_bytes(); ++x) {
      const auto value = static_cast<int>(draw.integer(-100, 355));
      image.row(y)[x] = static_cast<uint8_t>(std::min(std::max(value, 0), 255));
    }
  return image;
}

Image part_of(const Image& image, const Rect& rect) {
  Image part;
  part.resize(rect.width, rect.height);
  for (int y = 0; y < rect.height; ++y)
    std::copy_n(image.row(rect.top + y) + static_cast<size_t>(rect.left) * 3, part.row_bytes(), part.row(y));
  return part;
}

// Rows 5 bytes further apart than they are long; the gap must stay as it was.
std::vector<uint8_t> resized(const Image& image, int width, int height, const Rect& keep, Isa isa,
                             Interpolation filter = Interpolation::kBilinear) {
  Resizer resizer(filter, isa);
  const Rect source = resizer.plan(image.width(), image.height(), width, height, keep);
  const size_t bytes = static_cast<size_t>(keep.width) * 3, stride = bytes + 5;
  std::vector<uint8_t> out(stride * static_cast<size_t>(keep.height), 77);
  resizer.run(part_of(image, source), out.data(), stride);
  std::vector<uint8_t> rows;
  for (size_t y = 0; y < static_cast<size_t>(keep.height); ++y) {
    rows.insert(rows.end(), out.begin() + static_cast<std::ptrdiff_t>(y * stride),
                out.begin() + static_cast<std::ptrdiff_t>(y * stride + bytes));
    for (size_t gap = bytes; gap < stride; ++gap) EXPECT_EQ(out[y * stride + gap], 77);
  }
  return rows;
}

struct ResizeCase {
  int width, height, out_width, out_height;
};

const std::vector<ResizeCase>& resize_cases() {
  static const std::vector<ResizeCase> list = [] {
    std::vector<ResizeCase> all = {
        {1, 1, 1, 1},         {1, 1, 224, 224},     {1, 300, 224, 224},   {300, 1, 224, 224},   {2, 2, 3, 3},
        {5, 7, 5, 7},         {224, 224, 224, 224}, {500, 375, 341, 256}, {375, 500, 256, 341}, {224, 300, 224, 224},
        {300, 224, 224, 224}, {2000, 31, 224, 224}, {31, 2000, 224, 224}, {1200, 900, 17, 13},  {3000, 5, 1, 1},
        {5, 3000, 1, 1},      {13, 17, 100, 3},     {100, 3, 13, 170},    {898, 899, 224, 224}, {900, 1000, 224, 250},
        {448, 448, 224, 224}, {449, 447, 224, 224}};
    Draw draw(3, 0, 0, DrawFor::kOrder);
    for (int i = 0; i < 150; ++i)
      all.push_back({static_cast<int>(draw.integer(1, 400)), static_cast<int>(draw.integer(1, 400)),
                     static_cast<int>(draw.integer(1, 260)), static_cast<int>(draw.integer(1, 260))});
    return all;
  }();
  return list;
}

void expect_pillows_bits(Interpolation filter, const std::string& name) {
  const TemporaryFolder folder;
  {
    std::ofstream list(folder / "cases.txt"), pixels(folder / "source.raw", std::ios::binary);
    for (const ResizeCase& c : resize_cases()) {
      list << c.width << ' ' << c.height << ' ' << c.out_width << ' ' << c.out_height << '\n';
      const Image image = noise_with_extremes(c.width, c.height);
      pixels.write(reinterpret_cast<const char*>(image.row(0)),
                   static_cast<std::streamsize>(image.row_bytes() * static_cast<size_t>(c.height)));
    }
  }
  run_python("pipeline/pixels/resize.py", {folder.path().string(), name});
  std::ifstream file(folder / "resized.raw", std::ios::binary);
  for (const ResizeCase& c : resize_cases()) {
    std::vector<uint8_t> wanted(static_cast<size_t>(c.out_width) * static_cast<size_t>(c.out_height) * 3);
    ASSERT_TRUE(file.read(reinterpret_cast<char*>(wanted.data()), static_cast<std::streamsize>(wanted.size())));
    const Image image = noise_with_extremes(c.width, c.height);
    for (const Isa isa : kAll) {
      if (isa > cpu_isa()) break;
      EXPECT_TRUE(resized(image, c.out_width, c.out_height, {0, 0, c.out_width, c.out_height}, isa, filter) == wanted)
          << isa_name(isa) << ": " << c.width << " x " << c.height << " to " << c.out_width << " x " << c.out_height;
    }
  }
}

TEST(Resize, EqualsPillowInEveryInstructionSet) {
  if (!python_has({"PIL"})) GTEST_SKIP() << "needs python3-pil";
  expect_pillows_bits(Interpolation::kBilinear, "BILINEAR");
}

TEST(Resize, BicubicEqualsPillowInEveryInstructionSet) {
  if (!python_has({"PIL"})) GTEST_SKIP() << "needs python3-pil";
  expect_pillows_bits(Interpolation::kBicubic, "BICUBIC");
}

TEST(Resize, InterpolationsHaveNames) {
  EXPECT_EQ(interpolation_named("bilinear"), Interpolation::kBilinear);
  EXPECT_EQ(interpolation_named("bicubic"), Interpolation::kBicubic);
  testing::expect_error(ErrorKind::kUsage, {"interpolation nearest: wanted bilinear or bicubic"},
                        [] { interpolation_named("nearest"); });
}

void expect_part_of_whole(Interpolation filter) {
  for (const ResizeCase& c : resize_cases()) {
    const Image image = noise_with_extremes(c.width, c.height);
    Image whole;
    whole.resize(c.out_width, c.out_height);
    const auto all = resized(image, c.out_width, c.out_height, {0, 0, c.out_width, c.out_height}, Isa::kPlain, filter);
    std::copy(all.begin(), all.end(), whole.row(0));
    const Rect keep{c.out_width / 3, c.out_height / 4, c.out_width - c.out_width / 3 - c.out_width / 4,
                    c.out_height - c.out_height / 4 - c.out_height / 5};
    const Image part = part_of(whole, keep);
    const std::vector<uint8_t> wanted(part.row(0), part.row(0) + part.row_bytes() * static_cast<size_t>(keep.height));
    for (const Isa isa : kAll) {
      if (isa > cpu_isa()) break;
      EXPECT_TRUE(resized(image, c.out_width, c.out_height, keep, isa, filter) == wanted)
          << isa_name(isa) << ": " << c.width << " x " << c.height << " to " << c.out_width << " x " << c.out_height;
    }
  }
}

TEST(Resize, APartEqualsThatPartOfTheWhole) {
  expect_part_of_whole(Interpolation::kBilinear);
  expect_part_of_whole(Interpolation::kBicubic);
}

TEST(Resize, ReadsOnlyWhatTheKeptPartNeeds) {
  Resizer resizer;
  // Scale 2, support 2: output 50..59 has its centres at 101..119 and reads two pixels either side.
  EXPECT_EQ(resizer.plan(400, 400, 200, 200, {50, 50, 10, 10}), (Rect{99, 99, 22, 22}));
  EXPECT_EQ(resizer.plan(400, 300, 200, 150, {0, 0, 200, 150}), (Rect{0, 0, 400, 300}));
}

TEST(Resize, OneResizerServesOnePictureAfterAnother) {
  for (const Isa isa : kAll) {
    if (isa > cpu_isa()) break;
    Resizer reused(isa);
    for (const ResizeCase& c : resize_cases()) {
      const Image image = noise_with_extremes(c.width, c.height);
      const Rect keep{0, 0, c.out_width, c.out_height};
      const Rect source = reused.plan(c.width, c.height, c.out_width, c.out_height, keep);
      ASSERT_EQ(source, (Rect{0, 0, c.width, c.height}));
      std::vector<uint8_t> got(static_cast<size_t>(c.out_width) * static_cast<size_t>(c.out_height) * 3);
      reused.run(image, got.data(), static_cast<size_t>(c.out_width) * 3);
      EXPECT_TRUE(got == resized(image, c.out_width, c.out_height, keep, isa)) << isa_name(isa);
    }
  }
}

TEST(Resize, RefusesWhatWouldNeedAGigabyteOnTheWay) {
  Resizer resizer;
  for (const auto& [width, height] : {std::pair(1, 178'956'970), std::pair(178'956'970, 1)}) {
    const int across = width == 1 ? 1 : 96, down = height == 1 ? 1 : 96;
    testing::expect_error(ErrorKind::kData, {fmt::format("is {}x{} pixels: too elongated", width, height)}, [&] {
      resizer.plan(width, height, across, down, {0, 0, across, down});
    });
  }
  EXPECT_NO_THROW(resizer.plan(13'377, 13'377, 256, 256, {16, 16, 224, 224}));
  EXPECT_NO_THROW(resizer.plan(1, 8'388'607, 256, 2'147'483'392, {16, 1'073'741'584, 224, 224}));
}

TEST(Resize, GivenBackItResizesTheNextOne) {
  Image image;
  image.resize(40, 30);
  std::fill_n(image.row(0), image.row_bytes() * 30, uint8_t{77});
  std::vector<uint8_t> out(8 * 8 * 3);
  Resizer resizer;
  for (int i = 0; i < 2; ++i) {
    resizer.plan(40, 30, 8, 8, {0, 0, 8, 8});
    std::fill(out.begin(), out.end(), uint8_t{0});
    resizer.run(image, out.data(), 24);
    resizer.give_back();
    EXPECT_EQ(out, std::vector<uint8_t>(8 * 8 * 3, 77));
  }
}

}  // namespace
}  // namespace resflow
