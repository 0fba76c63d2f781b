// JPEGs decoded at a part of their size (Decoder::set_scale): Pillow's bits, any region, the verdicts of the whole
// size.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/images/jpeg.h"
#include "io/images/png_encode.h"
#include "io/pictures/dataset.h"
#include "tests/io/images/equals_crop.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"
#include "tests/support/exif_jpeg.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::equals_crop;
using testing::JpegKind;
using testing::kNoPillow;
using testing::make_jpeg;
using testing::TemporaryFolder;
using testing::with_exif;

constexpr int kScales[] = {1, 2, 4};

std::vector<JpegKind> scaled_jpeg_kinds() {
  std::vector<JpegKind> list;
  for (const auto& [width, height] : {std::pair{64, 48}, {97, 61}, {131, 250}, {9, 70}}) {
    const JpegKind base{.width = width, .height = height};
    const auto add = [&](auto change) {
      JpegKind kind = base;
      change(kind);
      list.push_back(kind);
    };
    for (const int h : {1, 2, 4})
      for (const int v : {1, 2}) add([&](JpegKind& k) { k.h = h, k.v = v; });
    add([](JpegKind& k) { k.progressive = true; });
    add([](JpegKind& k) { k.restart_blocks = 3; });
    add([](JpegKind& k) { k.scan_for_each_component = true; });
    add([](JpegKind& k) { k.arithmetic = true; });
    add([](JpegKind& k) { k.rgb = true, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 1, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 4, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 4, k.ycck = true; });
  }
  return list;
}

// False where the file is broken.
bool decode(Decoder& decoder, std::span<const uint8_t> bytes, int eighths, Image& out) {
  try {
    decoder.open(bytes);
    if (eighths < 8) {
      EXPECT_TRUE(decoder.set_scale(eighths));
    }
    decoder.decode(out);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    return false;
  }
}

TEST(ScaledJpeg, SizesAreRoundedUp) {
  Decoder decoder;
  const auto bytes = make_jpeg({.width = 97, .height = 64});
  for (const auto& [eighths, width, height] : {std::tuple{4, 49, 32}, {2, 25, 16}, {1, 13, 8}}) {
    decoder.open(bytes);
    ASSERT_TRUE(decoder.set_scale(eighths));
    EXPECT_EQ(decoder.width(), width);
    EXPECT_EQ(decoder.height(), height);
    Image image;
    decoder.decode(image);
    EXPECT_EQ(image.width(), width);
    EXPECT_EQ(image.height(), height);
    decoder.open(bytes);  // the next picture is of its own size again
    EXPECT_EQ(decoder.width(), 97);
  }
}

TEST(ScaledJpeg, AllRegionsEqualTheWhole) {
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Decoder decoder;
  Image whole, part;
  int number = 0;
  for (const JpegKind& kind : scaled_jpeg_kinds()) {
    const auto bytes = make_jpeg(kind);
    for (const int eighths : kScales) {
      ASSERT_TRUE(decode(decoder, bytes, eighths, whole));
      for (int i = 0; i < 12; ++i) {
        Rect region;
        region.width = 1 + below(whole.width());
        region.height = 1 + below(whole.height());
        region.left = below(whole.width() - region.width + 1);
        region.top = below(whole.height() - region.height + 1);
        decoder.open(bytes);
        decoder.set_scale(eighths);
        decoder.decode(region, part);
        ASSERT_TRUE(equals_crop(part, whole, region)) << "kind " << number << ", " << eighths << "/8";
      }
    }
    ++number;
  }
}

TEST(ScaledJpeg, EqualsPillowsDraft) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  Decoder decoder;
  Image image;
  std::ofstream list(folder / "list");
  int number = 0;
  const auto put = [&](std::span<const uint8_t> bytes, const std::string& path) {
    for (const int eighths : kScales) {
      if (!decode(decoder, bytes, eighths, image)) continue;
      const std::string ours = folder / (std::to_string(number++) + ".png");
      replace_file(ours, encode_png(image));
      list << 8 / eighths << ' ' << ours << ' ' << path << '\n';
    }
  };
  for (const JpegKind& kind : scaled_jpeg_kinds()) {
    if (kind.width < 16) continue;  // Pillow's draft goes by quotients of the size
    const std::string path = folder / (std::to_string(number) + ".jpg");
    const auto bytes = make_jpeg(kind);
    replace_file(path, bytes);
    put(bytes, path);
  }
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4/val";
  std::vector<uint8_t> buffer;
  if (std::filesystem::exists(root)) {
    const auto samples = list_pictures(root);
    for (size_t i = 0; i < samples.size(); i += 10) {
      const auto bytes = read_file(samples[i].path, buffer);
      if (is_jpeg(bytes)) put(bytes, samples[i].path);
    }
  }
  list.close();
  EXPECT_EQ(testing::run_python("io/images/pillow_draft.py", {folder / "list"}), "");
}

TEST(ScaledJpeg, DamagedFilesHaveTheVerdictOfTheWholeSize) {
  std::mt19937 random(6);
  Decoder decoder;
  Image image;
  int broken = 0, whole = 0;
  for (int variant = 0; variant < 400; ++variant) {
    JpegKind kind{.width = 97, .height = 61};
    kind.h = 1 + variant % 2;
    kind.v = 1 + variant / 2 % 2;
    kind.progressive = variant % 7 == 0;
    kind.restart_blocks = variant % 5 == 0 ? 2 : 0;
    auto bytes = make_jpeg(kind);
    if (variant % 3 == 0) {
      bytes.resize(bytes.size() - random() % (bytes.size() - 2));
    } else {
      const size_t at = 300 + random() % (bytes.size() - 301);
      bytes[at] = 0xFF;
      bytes[at + 1] = static_cast<uint8_t>(variant % 2 == 0 ? random() : 0xD0 + random() % 10);
    }
    const bool verdict = decode(decoder, bytes, 8, image);
    ++(verdict ? whole : broken);
    for (const int eighths : kScales) EXPECT_EQ(decode(decoder, bytes, eighths, image), verdict) << variant;
  }
  EXPECT_GT(broken, 50);
  EXPECT_GT(whole, 50);
}

TEST(ScaledJpeg, EveryEndHasTheVerdictOfTheWholeSize) {
  Decoder decoder;
  Image image;
  const auto bytes = make_jpeg({.width = 40, .height = 30});
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::span<const uint8_t> cut = std::span(bytes).first(size);
    const bool verdict = decode(decoder, cut, 8, image);
    for (const int eighths : kScales) ASSERT_EQ(decode(decoder, cut, eighths, image), verdict) << size;
  }
}

TEST(ScaledJpeg, OtherFormatsStayAsTheyAre) {
  Image image, out;
  image.resize(20, 10);
  std::fill_n(image.row(0), 600, uint8_t{9});
  const auto png = encode_png(image);
  Decoder decoder;
  decoder.open(png);
  EXPECT_FALSE(decoder.set_scale(4));
  EXPECT_EQ(decoder.width(), 20);
  const Box box = decoder.scaled({3, 4, 5, 6});
  EXPECT_EQ(box.left, 3);
  EXPECT_EQ(box.top, 4);
  EXPECT_EQ(box.width, 5);
  EXPECT_EQ(box.height, 6);
  decoder.decode(out);
  EXPECT_EQ(out.width(), 20);
}

// A picture of 97 x 61 at half size is 48.5 pixels wide and 30.5 high, of which libjpeg makes 49 and 31: mirrored, the
// half pixel that is no picture comes first.
TEST(ScaledJpeg, ARegionLiesWhereItsPixelsAre) {
  const auto jpeg = make_jpeg({.width = 97, .height = 61});
  Decoder decoder;
  decoder.set_exif(true);
  struct Case {
    uint8_t exif;
    Rect region;
    Box wanted;
  };
  const Case cases[] = {{1, {10, 20, 30, 8}, {5, 10, 15, 4}},      {1, {0, 0, 97, 61}, {0, 0, 48.5, 30.5}},
                        {2, {0, 0, 97, 61}, {0.5, 0, 48.5, 30.5}}, {3, {0, 0, 97, 61}, {0.5, 0.5, 48.5, 30.5}},
                        {4, {0, 0, 97, 61}, {0, 0.5, 48.5, 30.5}}, {5, {0, 0, 61, 97}, {0, 0, 30.5, 48.5}},
                        {6, {0, 0, 61, 97}, {0.5, 0, 30.5, 48.5}}, {7, {0, 0, 61, 97}, {0.5, 0.5, 30.5, 48.5}},
                        {8, {0, 0, 61, 97}, {0, 0.5, 30.5, 48.5}}, {2, {7, 3, 10, 10}, {4, 1.5, 5, 5}}};
  for (const Case& c : cases) {
    const auto bytes = with_exif(jpeg, c.exif);
    decoder.open(bytes);
    ASSERT_TRUE(decoder.set_scale(4));
    const Box box = decoder.scaled(c.region);
    EXPECT_EQ(box.left, c.wanted.left) << int{c.exif};
    EXPECT_EQ(box.top, c.wanted.top) << int{c.exif};
    EXPECT_EQ(box.width, c.wanted.width) << int{c.exif};
    EXPECT_EQ(box.height, c.wanted.height) << int{c.exif};
  }
}

}  // namespace
}  // namespace resflow
