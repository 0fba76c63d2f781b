// Files that end early and are taken all the same: Pillow's pixels under LOAD_TRUNCATED_IMAGES.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "io/images/decode.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/equals_crop.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"
#include "tests/support/files.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::kNoPillow;
using testing::made_files;
using testing::read_text;
using testing::TemporaryFolder;
using testing::Verdicts;
using testing::write_text;

// The files, each cut at some places.
std::vector<std::string> cut(const std::vector<std::string>& paths, const TemporaryFolder& folder) {
  std::vector<std::string> all;
  size_t number = 0;
  for (const std::string& path : paths) {
    const std::string bytes = read_text(path);
    const std::string name = std::filesystem::path(path).filename().string();
    for (const size_t percent : {20U, 45U, 70U, 90U, 99U})
      all.push_back(folder / ("cut/" + std::to_string(number++) + "-" + name)),
          write_text(all.back(), bytes.substr(0, bytes.size() * percent / 100));
    all.push_back(folder / ("cut/" + std::to_string(number++) + "-" + name));
    write_text(all.back(), bytes.substr(0, bytes.size() - 1));
  }
  return all;
}

// What we take is what Pillow takes. Of JPEG and PNG that is all that has a whole header.
void expect_pillows_pixels(const std::vector<std::string>& paths, int least) {
  int same = 0, refused = 0;
  for (const Verdicts& both : testing::verdicts(paths, false, true)) {
    if (both.we_refuse()) {
      ++refused;
      const bool jpeg_or_png = both.path.ends_with(".jpg") || both.path.ends_with(".png");
      EXPECT_TRUE(!jpeg_or_png || both.they_refuse())
          << both.path << "\n  resflow: " << both.ours << "\n  Pillow:  " << both.theirs;
      continue;
    }
    // Pillow stumbles over a last chunk that ends early even where all pixels came before it.
    if (both.path.ends_with(".png") && both.theirs == "error Truncated File Read") continue;
    EXPECT_EQ(both.ours, both.theirs) << both.path;
    same += both.ours == both.theirs ? 1 : 0;
  }
  EXPECT_GT(same, least) << refused << " refused";
}

TEST(Truncated, EqualsPillowForEveryKindOfFile) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  expect_pillows_pixels(cut(made_files(folder, "make_images.py", "kinds"), folder), 100);
}

TEST(Truncated, EqualsPillowForBitmaps) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  expect_pillows_pixels(cut(made_files(folder, "make_bitmaps.py", "kinds"), folder), 100);
}

TEST(Truncated, EqualsPillowForJpegsThatItCannotWrite) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (const bool progressive : {false, true})
    for (const int channels : {1, 3, 4}) {
      const auto bytes =
          testing::make_jpeg({.width = 150, .height = 130, .channels = channels, .progressive = progressive});
      paths.push_back(folder / (std::to_string(paths.size()) + ".jpg"));
      write_text(paths.back(), {bytes.begin(), bytes.end()});
    }
  expect_pillows_pixels(cut(paths, folder), 30);
}

TEST(Truncated, IsSaidAndIsOffAtFirst) {
  const std::vector<uint8_t> whole = testing::make_jpeg({.width = 200, .height = 160});
  const std::vector<uint8_t> half(whole.begin(), whole.begin() + std::ssize(whole) / 2);
  Decoder decoder;
  Image image, part;
  decoder.open(half);
  expect_error(ErrorKind::kData, {"truncated JPEG"}, [&] { decoder.decode(image); });
  decoder.set_acceptance({.truncated = true});
  decoder.open(whole);
  decoder.decode(image);
  EXPECT_FALSE(decoder.was_truncated());
  decoder.open(half);
  decoder.decode(image);
  EXPECT_TRUE(decoder.was_truncated());
  for (const Rect region : {Rect{0, 0, 10, 10}, Rect{33, 100, 70, 60}}) {
    decoder.decode(region, part);
    EXPECT_TRUE(testing::equals_crop(part, image, region));
    EXPECT_TRUE(decoder.was_truncated());
  }
}

TEST(Truncated, WhatEndsWithinItsHeaderIsRefused) {
  const std::vector<uint8_t> whole = testing::make_jpeg({.width = 200, .height = 160});
  Decoder decoder;
  decoder.set_acceptance({.truncated = true});
  expect_error(ErrorKind::kData, {"end within the header"}, [&] { decoder.open(std::span(whole).first(60)); });
}

TEST(Truncated, TheSettingIsOneOfTwoWords) {
  EXPECT_TRUE(acceptance(kMaxPixels, "take").truncated);
  EXPECT_FALSE(acceptance(kMaxPixels, "refuse").truncated);
  expect_error(ErrorKind::kUsage, {"truncated maybe: wanted take or refuse"}, [] { acceptance(kMaxPixels, "maybe"); });
  expect_error(ErrorKind::kUsage, {"max_pixels 0"}, [] { acceptance(0, "take"); });
}

}  // namespace
}  // namespace resflow
