#include "io/images/jpeg.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/pictures/dataset.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/equals_crop.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::equals_crop;
using testing::expect_error;
using testing::JpegKind;
using testing::kNoPillow;
using testing::make_jpeg;
using testing::TemporaryFolder;

std::vector<JpegKind> whole_jpeg_kinds() {
  std::vector<JpegKind> list;
  for (const auto& [width, height] : {std::pair{64, 48}, {97, 61}, {130, 33}, {9, 70}}) {
    const JpegKind base{.width = width, .height = height};
    const auto add = [&](auto change) {
      JpegKind kind = base;
      change(kind);
      list.push_back(kind);
    };
    for (int h = 1; h <= 4; ++h) {
      for (int v = 1; v <= 4; ++v) {
        if (h == 3 || v == 3 || h * v > 8) continue;  // at most 10 blocks fit into an MCU
        add([&](JpegKind& k) { k.h = h, k.v = v; });
        add([&](JpegKind& k) { k.h = h, k.v = v, k.progressive = true; });
      }
    }
    add([](JpegKind& k) { k.chroma_h = 2; });
    add([](JpegKind& k) { k.chroma_v = 2; });
    add([](JpegKind& k) { k.h = k.v = 1, k.chroma_h = 2; });
    add([](JpegKind& k) { k.restart_rows = 1; });
    add([](JpegKind& k) { k.restart_blocks = 3; });
    add([](JpegKind& k) { k.h = 1, k.v = 1, k.restart_blocks = 1; });
    add([](JpegKind& k) { k.arithmetic = true; });
    add([](JpegKind& k) { k.scan_for_each_component = true; });
    add([](JpegKind& k) { k.rgb = true, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 1, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 1, k.h = k.v = 2; });
    add([](JpegKind& k) { k.channels = 4, k.h = k.v = 1; });
    add([](JpegKind& k) { k.channels = 4, k.ycck = true; });
    add([](JpegKind& k) { k.channels = 4, k.ycck = true, k.progressive = true; });
  }
  return list;
}

Rect random_region(int width, int height, std::mt19937& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Rect region;
  region.width = 1 + below(width);
  region.height = 1 + below(height);
  region.left = below(width - region.width + 1);
  region.top = below(height - region.height + 1);
  return region;
}

// Expects `count` regions drawn at random to be those of the whole picture; of a broken file, to be errors as well.
void expect_same_regions(std::span<const uint8_t> bytes, int count, const std::string& name, std::mt19937& random) {
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image whole, part;
  try {
    reader.open(bytes);
  } catch (const Error&) {
    return;
  }
  const int width = reader.width(), height = reader.height();
  bool broken = false;
  try {
    reader.decode({0, 0, width, height}, whole);
  } catch (const Error&) {
    broken = true;
  }
  for (int i = 0; i < count; ++i) {
    const Rect region = random_region(width, height, random);
    const std::string where =
        fmt::format("{}: {}x{} at ({},{})", name, region.width, region.height, region.left, region.top);
    if (broken) {
      EXPECT_THROW(reader.decode(region, part), Error) << where;
    } else {
      ASSERT_NO_THROW(reader.decode(region, part)) << where;
      ASSERT_TRUE(equals_crop(part, whole, region)) << where;
    }
  }
}

TEST(Jpeg, KindsThatPillowCannotWriteEqualPillow) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  std::ofstream list(folder / "list");
  std::string ours;
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image image;
  int number = 0;
  for (const auto& kind : whole_jpeg_kinds()) {
    const auto bytes = make_jpeg(kind);
    const std::string path = folder / std::to_string(number++);
    replace_file(path, bytes);
    list << path << '\n';
    reader.open(bytes);
    reader.decode({0, 0, kind.width, kind.height}, image);
    const auto size = static_cast<uInt>(image.row_bytes()) * static_cast<uInt>(kind.height);
    ours += fmt::format("{} {} {} {}\n", kind.width, kind.height, crc32(0, image.row(0), size),
                        adler32(1, image.row(0), size));
  }
  list.close();
  EXPECT_EQ(ours, testing::run_python("io/images/pillow_decode.py", {folder / "list"}));
}

TEST(Jpeg, RegionsOfAllKindsEqualTheWhole) {
  std::mt19937 random(1);
  int number = 0;
  for (const auto& kind : whole_jpeg_kinds())
    expect_same_regions(make_jpeg(kind), 20, fmt::format("kind {}", number++), random);
}

TEST(Jpeg, RegionsOfAllSharedPhotographsEqualTheWhole) {
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!fs::exists(root)) GTEST_SKIP() << "no " << root;
  std::mt19937 random(2);
  std::vector<uint8_t> buffer;
  for (const auto& sample : list_pictures(root))
    expect_same_regions(read_file(sample.path, buffer), 4, sample.path, random);
}

TEST(Jpeg, DamagedFilesHaveOneVerdictForAllRegions) {
  std::mt19937 random(3);
  for (int variant = 0; variant < 600; ++variant) {
    JpegKind kind{.width = 97, .height = 61};
    kind.h = 1 + variant % 2;
    kind.v = 1 + variant / 2 % 2;
    kind.restart_blocks = variant % 5 == 0 ? 2 : 0;
    auto bytes = make_jpeg(kind);
    if (variant % 3 == 0) {
      bytes.resize(bytes.size() - random() % (bytes.size() - 2));
    } else {
      // Markers in the middle of the data above all.
      const size_t at = 300 + random() % (bytes.size() - 301);
      bytes[at] = 0xFF;
      bytes[at + 1] = static_cast<uint8_t>(variant % 2 == 0 ? random() : 0xD0 + random() % 10);
    }
    expect_same_regions(bytes, 5, fmt::format("variant {}", variant), random);
  }
}

TEST(Jpeg, ReadsTheSameHeaderTwice) {
  const auto bytes = make_jpeg({});
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image first, second;
  reader.open(bytes);
  reader.decode({3, 4, 20, 10}, first);
  reader.decode({3, 4, 20, 10}, second);
  EXPECT_TRUE(equals_crop(second, first, {0, 0, 20, 10}));
}

TEST(Jpeg, KeepsItsSizeWhenAnotherHeaderBeginsBehindIt) {
  auto bytes = make_jpeg({});
  ASSERT_EQ(bytes.back(), 0xD9);
  bytes.resize(bytes.size() - 2);
  const uint8_t header_cut_off[] = {0xFF, 0xC0, 0, 17, 8, 0x12, 0x34, 0x56, 0x78};
  bytes.insert(bytes.end(), std::begin(header_cut_off), std::end(header_cut_off));
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image whole, part;
  reader.open(bytes);
  reader.decode({0, 0, 64, 48}, whole);
  EXPECT_EQ(reader.width(), 64);
  EXPECT_EQ(reader.height(), 48);
  reader.decode({3, 40, 20, 8}, part);
  EXPECT_TRUE(equals_crop(part, whole, {3, 40, 20, 8}));
}

// Takes the segments with marker 0xFF, `marker` out.
std::vector<uint8_t> without_segments(const std::vector<uint8_t>& jpeg, uint8_t marker) {
  std::vector<uint8_t> out(jpeg.begin(), jpeg.begin() + 2);
  size_t at = 2;
  while (jpeg[at + 1] != 0xDA) {
    const size_t length = 2U + (static_cast<size_t>(jpeg[at + 2]) << 8 | jpeg[at + 3]);
    if (jpeg[at + 1] != marker)
      out.insert(out.end(), jpeg.begin() + static_cast<ptrdiff_t>(at),
                 jpeg.begin() + static_cast<ptrdiff_t>(at + length));
    at += length;
  }
  out.insert(out.end(), jpeg.begin() + static_cast<ptrdiff_t>(at), jpeg.end());
  return out;
}

TEST(Jpeg, TablesOfOneFileDoNotReachTheNext) {
  const auto whole = make_jpeg({}), no_tables = without_segments(whole, 0xDB);
  ASSERT_LT(no_tables.size(), whole.size());
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image image;
  reader.open(whole);
  reader.decode({0, 0, 8, 8}, image);
  expect_error(ErrorKind::kData, {"broken JPEG", "Quantization table"}, [&] {
    reader.open(no_tables);
    reader.decode({0, 0, 8, 8}, image);
  });
  reader.open(whole);
  EXPECT_NO_THROW(reader.decode({0, 0, 8, 8}, image));
}

TEST(Jpeg, RefusesAScanBomb) {
  const auto bytes = make_jpeg({.scan_for_each_coefficient = true});
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image image;
  reader.open(bytes);
  expect_error(ErrorKind::kData, {"broken JPEG"}, [&] { reader.decode({0, 0, 64, 48}, image); });
}

TEST(Jpeg, SaysWhereATruncatedFileEnds) {
  auto bytes = make_jpeg({.width = 200, .height = 160});
  bytes.resize(bytes.size() / 2);
  const auto jpeg = make_jpeg_reader();
  ImageReader& reader = *jpeg;
  Image image;
  reader.open(bytes);
  expect_error(ErrorKind::kData, {"truncated JPEG", fmt::format("{} bytes", bytes.size()), "of 160"}, [&] {
    reader.decode({0, 0, 8, 8}, image);
  });
  bytes.resize(100);
  expect_error(ErrorKind::kData, {"truncated JPEG", "100 bytes", "header"}, [&] { reader.open(bytes); });
}

}  // namespace
}  // namespace resflow
