// Small files that ask for much memory or time, and pictures that are left half-way.
#include <gtest/gtest.h>
#include <webp/decode.h>
#include <webp/encode.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/images/decode.h"
#include "io/images/jpeg_encode.h"
#include "io/images/png_encode.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/equals_crop.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/live_bytes.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::LiveBytes;

void put(std::vector<uint8_t>& to, uint64_t value, int bytes, bool big_endian = false) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<uint8_t>(value >> 8 * (big_endian ? bytes - 1 - i : i)));
}

struct Tag {
  uint16_t number;
  std::vector<uint32_t> values;
};

// A TIFF of LONGs, with `data` at its end. A tag that has the value kData has where they begin.
constexpr uint32_t kData = 0xDA7A0000;
std::vector<uint8_t> tiff(const std::vector<Tag>& tags, const std::vector<uint8_t>& data = {}) {
  std::vector<uint8_t> head = {'I', 'I', 42, 0}, lists;
  const size_t lists_at = 8 + 2 + 12 * tags.size() + 4;
  size_t data_at = lists_at;
  for (const Tag& tag : tags) data_at += tag.values.size() > 1 ? 4 * tag.values.size() : 0;
  const auto value = [&](uint32_t said) { return said == kData ? data_at : said; };
  put(head, 8, 4);
  put(head, tags.size(), 2);
  for (const Tag& tag : tags) {
    put(head, tag.number, 2);
    put(head, 4, 2);
    put(head, tag.values.size(), 4);
    put(head, tag.values.size() > 1 ? lists_at + lists.size() : value(tag.values[0]), 4);
    if (tag.values.size() > 1)
      for (const uint32_t one : tag.values) put(lists, value(one), 4);
  }
  put(head, 0, 4);
  head.insert(head.end(), lists.begin(), lists.end());
  head.insert(head.end(), data.begin(), data.end());
  return head;
}

std::vector<uint8_t> deflated(const std::vector<uint8_t>& bytes) {
  uLongf size = compressBound(bytes.size());
  std::vector<uint8_t> out(size);
  compress(out.data(), &size, bytes.data(), bytes.size());
  out.resize(size);
  return out;
}

std::vector<uint8_t> png(uint32_t width, uint32_t height, int depth, int colour, bool interlaced,
                         const std::vector<uint8_t>& pixels) {
  std::vector<uint8_t> bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  const auto chunk = [&](const std::string& name, const std::vector<uint8_t>& content) {
    put(bytes, content.size(), 4, true);
    const size_t at = bytes.size();
    bytes.insert(bytes.end(), name.begin(), name.end());
    bytes.insert(bytes.end(), content.begin(), content.end());
    put(bytes, crc32(0, &bytes[at], static_cast<uInt>(bytes.size() - at)), 4, true);
  };
  std::vector<uint8_t> header;
  put(header, width, 4, true);
  put(header, height, 4, true);
  header.insert(header.end(), {static_cast<uint8_t>(depth), static_cast<uint8_t>(colour), 0, 0, interlaced});
  chunk("IHDR", header);
  chunk("IDAT", pixels);
  chunk("IEND", {});
  return bytes;
}

// It is refused before there is memory for its pixels.
void expect_refused(const std::vector<uint8_t>& file, const std::vector<std::string>& parts) {
  Decoder decoder;
  Image image;
  expect_error(ErrorKind::kData, parts, [&] {
    decoder.open(file, "x");
    decoder.decode(image);
  });
  EXPECT_EQ(image.width(), 0) << "memory was taken for its pixels";
}

TEST(Bombs, ATileOfATiffIsInProportionToItsPicture) {
  expect_refused(tiff({{256, {13377}},
                       {257, {13377}},
                       {258, {16}},
                       {259, {8}},
                       {262, {2}},
                       {277, {4}},
                       {284, {1}},
                       {338, {2}},
                       {322, {26752}},
                       {323, {26752}},
                       {324, {8}},
                       {325, {10}}}),
                 {"x: ", "13377x13377 pixels in tiles of 26752x26752"});
}

TEST(Bombs, AllTilesOfATiffTogetherAreInProportionToItsPicture) {
  const std::vector<uint32_t> places(10, kData), sizes(10, 100);
  expect_refused(tiff({{256, {1}},
                       {257, {40'000}},
                       {258, {8}},
                       {259, {8}},
                       {262, {1}},
                       {277, {1}},
                       {284, {1}},
                       {322, {4096}},
                       {323, {4096}},
                       {324, places},
                       {325, sizes}},
                      std::vector<uint8_t>(100)),
                 {"x: ", "1x40000 pixels in tiles of 4096x4096"});
}

TEST(Bombs, StripsOfATiffAreNotWithoutNumber) {
  constexpr uint32_t kRows = 1'000'001;
  const std::vector<uint32_t> places(kRows, 8), sizes(kRows, 1);
  expect_refused(
      tiff({{256, {1}}, {257, {kRows}}, {258, {8}}, {259, {1}}, {262, {1}}, {273, places}, {278, {1}}, {279, sizes}}),
      {"x: ", "1x1000001 pixels are in 1000001 strips, wanted at most 1000000"});
}

TEST(Bombs, StripsOfATiffDoNotShareTheirBytesThousandsOfTimes) {
  const std::vector<uint32_t> places(5000, kData), sizes(5000, 1'000'000);
  expect_refused(
      tiff({{256, {1}}, {257, {5000}}, {258, {8}}, {259, {8}}, {262, {1}}, {273, places}, {278, {1}}, {279, sizes}},
           std::vector<uint8_t>(1'000'000)),
      {"x: ", "its strips say that they have"});
}

TEST(Bombs, SmallPicturesInOrdinaryTilesAreRead) {
  const std::vector<uint8_t> tile(256 * 256, 7);
  const std::vector<uint32_t> places(20, kData), sizes(20, 256 * 256);
  Decoder decoder;
  Image image;
  const std::vector<uint8_t> file = tiff({{256, {1}},
                                          {257, {5000}},
                                          {258, {8}},
                                          {259, {1}},
                                          {262, {1}},
                                          {277, {1}},
                                          {284, {1}},
                                          {322, {256}},
                                          {323, {256}},
                                          {324, places},
                                          {325, sizes}},
                                         tile);
  decoder.open(file);
  decoder.decode(image);
  EXPECT_EQ(image.row(4999)[0], 7);
}

TEST(Bombs, ARowOfAPngMayNotTakeGigabytes) {
  expect_refused(png(178'956'970, 1, 16, 6, false, deflated(std::vector<uint8_t>(1000))),
                 {"x: needs 3", "MB to decode"});
}

TEST(Bombs, AnInterlacedPngTakesNoMoreThanItsPixels) {
  constexpr uint32_t kSide = 1000;
  // Seven passes of rows, each with a filter byte: zeros are a black picture.
  const std::vector<uint8_t> file =
      png(1, kSide * kSide, 8, 2, true, deflated(std::vector<uint8_t>(6 * kSide * kSide)));
  Decoder decoder;
  Image image;
  decoder.open(file);
  const LiveBytes live;
  LiveBytes during = live;
  decoder.set_stop([&] {
    during.look();
    return false;
  });
  decoder.decode(image);
  during.look();
  EXPECT_GT(during.peak(), size_t{3} * kSide * kSide / 2);
  EXPECT_LT(during.peak(), size_t{5} * kSide * kSide) << "there are pointers to rows, or the picture is there twice";
}

TEST(Bombs, PixelsBeyondTheLimitAreRefusedByTheHeader) {
  Image small;
  small.resize(100, 60);
  small.clear();
  Decoder decoder;
  decoder.set_acceptance({.max_pixels = 6000});
  decoder.open(encode_png(small));
  decoder.set_acceptance({.max_pixels = 5999});
  expect_error(ErrorKind::kData, {"100x60 pixels, wanted at most 5999"}, [&] { decoder.open(encode_png(small)); });
  for (const int64_t wrong : {int64_t{0}, kMaxPixels + 1})
    expect_error(ErrorKind::kUsage, {"max_pixels"}, [&] { decoder.set_acceptance({.max_pixels = wrong}); });
}

TEST(Bombs, AHugePictureNeedsItsPixelsAndWhatDecodesThem) {
  Decoder decoder;
  decoder.open(testing::make_jpeg({.width = 640, .height = 480}));
  EXPECT_EQ(decoder.decoding_bytes(), 3 * 640 * 480);
  decoder.open(testing::make_jpeg({.width = 640, .height = 480, .progressive = true}));
  EXPECT_GT(decoder.decoding_bytes(), 3 * 640 * 480 + 2 * 640 * 480);
}

// A picture of noise, so that its file has some length.
Image noise(int width, int height) {
  Image image;
  image.resize(width, height);
  uint32_t state = 1;
  for (int y = 0; y < height; ++y)
    for (size_t x = 0; x < image.row_bytes(); ++x)
      image.row(y)[x] = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return image;
}

std::vector<uint8_t> bmp(const Image& image) {
  std::vector<uint8_t> bytes = {'B', 'M'};
  const size_t pixels = image.row_bytes() * static_cast<size_t>(image.height());
  put(bytes, 54 + pixels, 4);
  put(bytes, 0, 4);
  put(bytes, 54, 4);
  put(bytes, 40, 4);
  put(bytes, static_cast<uint64_t>(image.width()), 4);
  put(bytes, static_cast<uint64_t>(image.height()), 4);
  put(bytes, 1, 2);
  put(bytes, 24, 2);
  bytes.resize(54);
  bytes.insert(bytes.end(), image.row(0), image.row(0) + pixels);
  return bytes;
}

std::vector<uint8_t> ppm(const Image& image) {
  const std::string head = "P6 " + std::to_string(image.width()) + " " + std::to_string(image.height()) + " 255\n";
  std::vector<uint8_t> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), image.row(0), image.row(0) + image.row_bytes() * static_cast<size_t>(image.height()));
  return bytes;
}

std::vector<uint8_t> striped_tiff(const Image& image) {
  const auto width = static_cast<uint32_t>(image.width()), height = static_cast<uint32_t>(image.height());
  std::vector<uint32_t> places, sizes;
  const uint32_t head = 8 + 2 + 12 * 9 + 4 + 4 * 2 * height;
  for (uint32_t y = 0; y < height; ++y) {
    places.push_back(head + y * 3 * width);
    sizes.push_back(3 * width);
  }
  return tiff({{256, {width}},
               {257, {height}},
               {258, {8}},
               {259, {1}},
               {262, {2}},
               {273, places},
               {277, {3}},
               {278, {1}},
               {279, sizes}},
              {image.row(0), image.row(0) + size_t{3} * width * height});
}

// Every format asks within the picture, and can be asked for it again afterwards.
TEST(Stop, LeavesAPictureHalfWay) {
  constexpr int kSide = 1024;
  const Image image = noise(kSide, kSide);
  const std::vector<uint8_t> zeros(size_t{6} * kSide * kSide);
  const std::vector<std::pair<std::string, std::vector<uint8_t>>> files = {
      {"png", encode_png(image)},
      {"interlaced png", png(kSide, kSide, 8, 2, true, deflated(zeros))},
      {"jpeg", encode_jpeg(image)},
      {"progressive jpeg", testing::make_jpeg({.width = kSide, .height = kSide, .progressive = true})},
      {"bmp", bmp(image)},
      {"ppm", ppm(image)},
      {"tiff", striped_tiff(image)}};
  for (const auto& [name, file] : files) {
    Decoder decoder;
    Image out;
    bool stop = true;
    int asked = 0;
    decoder.set_stop([&] {
      ++asked;
      return stop && asked > 1;
    });
    decoder.open(file, name);
    EXPECT_THROW(decoder.decode(out), DecodingStopped) << name;
    EXPECT_EQ(asked, 2) << name;
    stop = false;
    decoder.open(file, name);
    EXPECT_NO_THROW(decoder.decode(out)) << name;
  }
}

// Above sixteen million pixels a WebP is decoded in pieces; it is the same picture, and can be stopped.
TEST(Stop, AHugeWebpIsDecodedInPieces) {
  constexpr int kWidth = 4200, kHeight = 4000;
  Image image;
  image.resize(kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y)
    for (size_t x = 0; x < image.row_bytes(); ++x)
      image.row(y)[x] = static_cast<uint8_t>(x / 64 + static_cast<size_t>(y) / 16);
  WebPConfig config;
  WebPPicture picture;
  ASSERT_TRUE(WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, 50) != 0 && WebPPictureInit(&picture) != 0);
  config.method = 0;
  picture.width = kWidth;
  picture.height = kHeight;
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  ASSERT_TRUE(WebPPictureImportRGB(&picture, image.row(0), kWidth * 3) != 0 && WebPEncode(&config, &picture) != 0);
  const std::vector<uint8_t> file(writer.mem, writer.mem + writer.size);
  WebPPictureFree(&picture);
  WebPMemoryWriterClear(&writer);

  Image wanted, part;
  wanted.resize(kWidth, kHeight);
  ASSERT_NE(WebPDecodeRGBInto(file.data(), file.size(), wanted.row(0), wanted.row_bytes() * kHeight, kWidth * 3),
            nullptr);
  Decoder decoder;
  int asked = 0;
  bool stop = false;
  decoder.set_stop([&] {
    ++asked;
    return stop && asked > 3;
  });
  decoder.open(file);
  decoder.decode(image);
  EXPECT_GT(asked, 10);
  EXPECT_TRUE(testing::equals_crop(image, wanted, {0, 0, kWidth, kHeight}));
  const Rect region = {1001, 2003, 55, 44};
  decoder.decode(region, part);
  EXPECT_TRUE(testing::equals_crop(part, wanted, region));
  stop = true;
  asked = 0;
  EXPECT_THROW(decoder.decode(part), DecodingStopped);
  const std::vector<uint8_t> cut(file.begin(), file.begin() + std::ssize(file) / 2);
  stop = false;
  decoder.open(cut);
  expect_error(ErrorKind::kData, {"damaged or ends early"}, [&] { decoder.decode(part); });
}

// A strip of more than kLargeBytes is read row by row.
TEST(Stop, AHugeStripOfATiffIsReadRowByRow) {
  constexpr uint32_t kWidth = 8192, kHeight = 8300;
  std::vector<uint8_t> pixels(size_t{kWidth} * kHeight);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i / kWidth);
  const std::vector<uint8_t> strip = deflated(pixels);
  const std::vector<uint8_t> file = tiff({{256, {kWidth}},
                                          {257, {kHeight}},
                                          {258, {8}},
                                          {259, {8}},
                                          {262, {1}},
                                          {273, {kData}},
                                          {278, {kHeight}},
                                          {279, {static_cast<uint32_t>(strip.size())}}},
                                         strip);
  Decoder decoder;
  Image image;
  decoder.open(file);
  decoder.decode({5, 0, 3, static_cast<int>(kHeight)}, image);
  for (const int y : {0, 1, 255, 256, 8299}) EXPECT_EQ(image.row(y)[0], static_cast<uint8_t>(y)) << y;
  int asked = 0;
  decoder.set_stop([&] { return ++asked > 2; });
  EXPECT_THROW(decoder.decode({5, 0, 3, 3}, image), DecodingStopped);
}

}  // namespace
}  // namespace resflow
