#include "apps/data/preview_grid.h"
#include "io/images/png_encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "io/images/decode.h"
#include "pipeline/pixels/normalize.h"

namespace resflow {
namespace {

constexpr float kMean[3] = {0.485F, 0.456F, 0.406F}, kStd[3] = {0.229F, 0.224F, 0.225F};

// A batch of flat pictures of one value each, with names.
struct MadeBatch {
  MadeBatch(int size, int side, const std::vector<std::string>& classes, const std::string& path) {
    dataset.classes = classes;
    pixels.resize(static_cast<size_t>(size) * 3 * static_cast<size_t>(side) * static_cast<size_t>(side));
    for (int i = 0; i < size; ++i) {
      dataset.samples.push_back({.path = path, .label = i % static_cast<int>(classes.size())});
      batch.samples.push_back(i);
      batch.labels.push_back(dataset.samples.back().label);
    }
    batch.size = batch.capacity = size;
    batch.image_size = side;
    batch.pixels = pixels.data();
  }
  Dataset dataset;
  std::vector<float> pixels;
  Batch batch;
};

bool is_paper(const Image& image, int x, int y) {
  const uint8_t* paper = image.row(0);
  const uint8_t* pixel = image.row(y) + static_cast<ptrdiff_t>(x) * 3;
  return std::equal(pixel, pixel + 3, paper);
}

// Pixels of the rectangle that are not paper.
int ink(const Image& image, const Rect& where) {
  int found = 0;
  for (int y = where.top; y < where.top + where.height; ++y)
    for (int x = where.left; x < where.left + where.width; ++x) found += is_paper(image, x, y) ? 0 : 1;
  return found;
}

TEST(PreviewGrid, UnNormalizesEveryByteToItself) {
  constexpr int kSide = 16;  // 256 pixels
  std::vector<uint8_t> rgb;
  for (int i = 0; i < 256; ++i)
    for (const int c : {i, 255 - i, (i * 7) % 256}) rgb.push_back(static_cast<uint8_t>(c));
  MadeBatch made(2, kSide, {"a"}, "x");
  const Normalizer normalizer(kMean, kStd);
  normalizer.run(rgb.data(), kSide, kSide, false, made.pixels.data() + made.pixels.size() / 2);
  const Image image = un_normalized(made.batch, 1, kMean, kStd);
  EXPECT_TRUE(std::equal(rgb.begin(), rgb.end(), image.row(0)));
}

TEST(PreviewGrid, HoldsValuesWithinAByte) {
  MadeBatch made(1, 1, {"a"}, "x");
  made.pixels = {-100, 100, 0};
  made.batch.pixels = made.pixels.data();
  const Image image = un_normalized(made.batch, 0, kMean, kStd);
  EXPECT_THAT(std::vector<uint8_t>(image.row(0), image.row(0) + 3), ::testing::ElementsAre(0, 255, 104));
}

TEST(PreviewGrid, TilesLieWithinTheGridAndApart) {
  for (const int tiles : {1, 2, 3, 7, 16, 64})
    for (const int size : {1, 32, 100, 128, 224})
      for (const int columns : {0, 1, 5}) {
        const PreviewLayout layout = preview_layout(tiles, size, {.columns = columns});
        EXPECT_GE(layout.side, 128);
        EXPECT_EQ(layout.side % size, 0);
        EXPECT_GE(layout.columns * layout.rows, tiles);
        for (int a = 0; a < tiles; ++a) {
          const Rect r = layout.picture(a);
          EXPECT_GE(r.left, 1);
          EXPECT_GE(r.top, 1);
          EXPECT_LT(r.left + r.width, layout.width);
          EXPECT_LT(r.top + r.height + layout.caption, layout.height);
          for (int b = 0; b < a; ++b) {
            const Rect s = layout.picture(b);
            const bool beside = s.left + s.width < r.left || r.left + r.width < s.left;
            const bool above = s.top + s.height + layout.caption < r.top;
            EXPECT_TRUE(beside || above) << tiles << " " << size << " " << columns << ": " << a << " " << b;
          }
        }
      }
}

TEST(PreviewGrid, NamesStayUnderTheirPictures) {
  std::string endless;
  for (int i = 0; i < 200; ++i) endless += "wide Ω name ";
  for (const std::string& name :
       {std::string("g"), endless, std::string("no utf-8 \xff\xfe here, and long enough to be cut"),
        std::string("two\nlines\tand a tab, and long enough to be cut"), std::string()}) {
    MadeBatch made(4, 140, {name}, "/photos/" + name + "/" + name + ".jpg");
    const PreviewLayout layout = preview_layout(4, 140, {});
    const Image grid = draw_preview_grid(made.batch, made.dataset, kMean, kStd);
    ASSERT_EQ(grid.width(), layout.width);
    ASSERT_EQ(grid.height(), layout.height);
    int inside = 0;
    for (int tile = 0; tile < 4; ++tile) {
      const Rect at = layout.picture(tile);
      inside += ink(grid, at) + ink(grid, {at.left, at.top + at.height, at.width, layout.caption});
    }
    EXPECT_EQ(ink(grid, {0, 0, grid.width(), grid.height()}), inside) << name;  // and none outside
    const Rect first = layout.picture(0);
    EXPECT_GT(ink(grid, {first.left, first.top + first.height, first.width, layout.caption}), 10) << name;
  }
}

TEST(PreviewGrid, EachPictureHasItsOwnName) {
  MadeBatch made(2, 128, {"one", "other"}, "x.jpg");
  const PreviewLayout layout = preview_layout(2, 128, {.columns = 2, .file_names = false});
  const Image grid = draw_preview_grid(made.batch, made.dataset, kMean, kStd, {.columns = 2, .file_names = false});
  const auto caption = [&](int tile) {
    const Rect at = layout.picture(tile);
    std::vector<uint8_t> bytes;
    for (int y = at.top + at.height; y < at.top + at.height + layout.caption; ++y)
      bytes.insert(bytes.end(), grid.row(y) + static_cast<ptrdiff_t>(at.left) * 3,
                   grid.row(y) + static_cast<ptrdiff_t>(at.left + at.width) * 3);
    return bytes;
  };
  EXPECT_NE(caption(0), caption(1));
  std::swap(made.batch.samples[0], made.batch.samples[1]);
  const Image swapped = draw_preview_grid(made.batch, made.dataset, kMean, kStd, {.columns = 2, .file_names = false});
  const std::vector<uint8_t> first = caption(0);
  const Rect second = layout.picture(1);
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + static_cast<ptrdiff_t>(second.width) * 3,
                         swapped.row(second.top + second.height) + static_cast<ptrdiff_t>(second.left) * 3));
}

TEST(PreviewGrid, ShowsAtMostTheLimit) {
  MadeBatch made(9, 128, {"a"}, "x.jpg");
  const Image grid = draw_preview_grid(made.batch, made.dataset, kMean, kStd, {.limit = 4});
  EXPECT_EQ(grid.width(), preview_layout(4, 128, {}).width);
}

TEST(PreviewGrid, APictureComesBackFromItsPng) {
  Image image;
  image.resize(37, 21);
  for (size_t i = 0; i < image.row_bytes() * 21; ++i) image.row(0)[i] = static_cast<uint8_t>(i * 31 % 256);
  const std::vector<uint8_t> png = encode_png(image);
  Decoder decoder;
  decoder.open(png);
  Image back;
  decoder.decode(back);
  ASSERT_EQ(back.width(), 37);
  ASSERT_EQ(back.height(), 21);
  EXPECT_TRUE(std::equal(image.row(0), image.row(0) + image.row_bytes() * 21, back.row(0)));
}

}  // namespace
}  // namespace resflow
