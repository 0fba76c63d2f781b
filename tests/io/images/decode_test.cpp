// Covers: io/images/png io/images/png_chunks io/images/webp
#include "io/images/decode.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/files/file.h"
#include "io/pictures/dataset.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::Agreement;
using testing::expect_error;
using testing::expect_pillow_agrees;
using testing::kNoPillow;
using testing::made_files;
using testing::make_jpeg;
using testing::span_of;
using testing::TemporaryFolder;
using testing::Verdicts;

// libpng refuses headers with reserved values, which Pillow ignores.
bool is_stricter_on_purpose(const Verdicts& both) { return both.ours.find("Invalid IHDR data") != std::string::npos; }

TEST(Decode, EqualsPillowForEveryKindOfFile) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const Agreement agreement = expect_pillow_agrees(made_files(folder, "make_images.py", "kinds"));
  // Of these files only the JPEGs without their end are refused: one with none of the marker, one with half of it.
  EXPECT_EQ(agreement.both_refuse, 2);
  EXPECT_GT(agreement.same_pixels, 200);
}

TEST(Decode, EqualsPillowOnTruncatedAndDamagedFiles) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const Agreement agreement =
      expect_pillow_agrees(made_files(folder, "make_images.py", "broken", "1500"), false, is_stricter_on_purpose);
  EXPECT_GT(agreement.both_refuse, 500);
  EXPECT_GT(agreement.same_pixels, 150);
}

TEST(Decode, EqualsPillowOnAllSharedPhotographs) {
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!fs::exists(root)) GTEST_SKIP() << "no " << root;
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) paths.push_back(entry.path().string());
  }
  const Agreement agreement = expect_pillow_agrees(paths);
  EXPECT_EQ(agreement.same_pixels, 951);
  EXPECT_EQ(agreement.both_refuse, 1);  // the GIF
}

TEST(Decode, SaysWhatAFileReallyIs) {
  using namespace std::string_view_literals;
  const std::vector<std::pair<std::string_view, std::string>> files = {
      {"GIF89a\1\0\1\0"sv,
       "a/x.jpg: is a GIF named .jpg; resflow reads JPEG, PNG, WebP, TIFF, BMP and PNM (PPM, PGM, PBM)"},
      {"BM\x46\0\0\0\0\0\0\0\x36"sv, "a/x.jpg: truncated BMP: its 11 bytes end within the header"},
      {"P6\n3 4\n"sv, "a/x.jpg: truncated PNM: its 7 bytes end within the header"},
      {"P7\nWIDTH 3"sv, "a/x.jpg: is a PAM (P7), wanted P1 to P6"},
      {"II*\0\x08\0\0\0"sv, "a/x.jpg: broken TIFF: "},
      {"RIFF\x24\0\0\0WEBPVP8 "sv, "a/x.jpg: is a WebP whose header is damaged or ends early"},
      {"<html>Not found</html>\n"sv, "a/x.jpg: is a web page named .jpg"},
      {""sv, "a/x.jpg: is empty"},
      {"\0\1\2\3\4\5\6\7"sv, "a/x.jpg: is no image"}};
  Decoder decoder;
  for (const auto& [content, says] : files)
    expect_error(ErrorKind::kData, {says}, [&, text = content] { decoder.open(span_of(text), "a/x.jpg"); });
  expect_error(ErrorKind::kData, {"is a GIF;"}, [&] { decoder.open(span_of(files[0].first)); });
}

TEST(Decode, TellsTheFormatByTheFirstBytes) {
  const auto jpeg = make_jpeg({});
  Decoder decoder;
  decoder.open(jpeg, "picture.png");
  EXPECT_EQ(decoder.format()->name, "JPEG");
}

TEST(Decode, NamesTheFileThatIsBroken) {
  auto jpeg = make_jpeg({});
  jpeg.resize(jpeg.size() / 2);
  Decoder decoder;
  Image image;
  decoder.open(jpeg, "ants/1.jpg");
  expect_error(ErrorKind::kData, {"ants/1.jpg: truncated JPEG"}, [&] { decoder.decode(image); });
}

void put_big_endian(uint32_t value, uint8_t* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

// Signature and header of a grey PNG and the start of its pixels.
std::vector<uint8_t> png_of_size(uint32_t width, uint32_t height) {
  using namespace std::string_view_literals;
  const auto text = span_of("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0IDAT\0\0\0\0"sv);
  std::vector<uint8_t> png(text.begin(), text.end());
  put_big_endian(width, &png[16]);
  put_big_endian(height, &png[20]);
  put_big_endian(static_cast<uint32_t>(crc32(0, &png[12], 17)), &png[29]);
  return png;
}

TEST(Decode, RefusesHugeImagesByTheirHeader) {
  Decoder decoder;
  auto jpeg = make_jpeg({});
  for (size_t at = 2; at + 9 < jpeg.size(); at += 2U + (static_cast<size_t>(jpeg[at + 2]) << 8 | jpeg[at + 3])) {
    if (jpeg[at + 1] != 0xC0) continue;
    for (size_t i = 5; i < 9; i += 2) {
      jpeg[at + i] = 65000 >> 8;
      jpeg[at + i + 1] = 65000 & 255;
    }
    break;
  }
  expect_error(ErrorKind::kData, {"x.jpg: ", "65000x65000", "178956970"}, [&] { decoder.open(jpeg, "x.jpg"); });
  expect_error(ErrorKind::kData, {"x.png: ", "65000x65000"}, [&] { decoder.open(png_of_size(65000, 65000), "x.png"); });
  expect_error(ErrorKind::kData, {"2147483647x2147483647"}, [&] { decoder.open(png_of_size(0x7FFFFFFF, 0x7FFFFFFF)); });
  // The largest that Pillow takes, and one row more.
  EXPECT_NO_THROW(decoder.open(png_of_size(10, 17'895'697)));
  EXPECT_THROW(decoder.open(png_of_size(10, 17'895'698)), Error);
  using namespace std::string_view_literals;
  expect_error(ErrorKind::kData, {"x.ppm: ", "30000x30000", "178956970"},
               [&] { decoder.open(span_of("P6 30000 30000 255\n"), "x.ppm"); });
  expect_error(ErrorKind::kData, {"x.bmp: ", "2147483647x65536", "178956970"}, [&] {
    decoder.open(span_of("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xFF\xFF\xFF\x7F\0\0\1\0\1\0\x18\0\0\0\0\0"
                         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv),
                 "x.bmp");
  });
}

TEST(Decode, RefusesRegionsOutsideTheImage) {
  const auto jpeg = make_jpeg({.width = 64, .height = 48});
  Decoder decoder;
  Image image;
  decoder.open(jpeg);
  for (const Rect& region : {Rect{0, 0, 65, 48}, Rect{1, 0, 64, 48}, Rect{-1, 0, 8, 8}, Rect{0, 40, 8, 9},
                             Rect{0, 0, 0, 8}, Rect{2'000'000'000, 0, 2'000'000'000, 8}})
    expect_error(ErrorKind::kInternal, {"64x48"}, [&] { decoder.decode(region, image); });
}

TEST(Decode, HasNothingOpenAfterARefusedFile) {
  const auto jpeg = make_jpeg({});
  Decoder decoder;
  Image image;
  decoder.open(jpeg);
  EXPECT_THROW(decoder.open(span_of("GIF89a")), Error);
  EXPECT_THROW(decoder.decode(image), Error);
  decoder.open(jpeg);
  EXPECT_NO_THROW(decoder.decode(image));
}

TEST(Decode, PngRegionsEqualTheWhole) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << "no /usr/bin/python3 with Pillow to draw the files";
  const TemporaryFolder folder;
  Decoder decoder;
  Image whole, part;
  std::vector<uint8_t> buffer;
  int compared = 0;
  for (const auto& path : made_files(folder, "make_images.py", "kinds")) {
    decoder.open(read_file(path, buffer));
    if (decoder.format()->name != "PNG" || decoder.width() < 9) continue;
    decoder.decode(whole);
    const Rect region{2, 3, decoder.width() - 5, decoder.height() - 4};
    decoder.decode(region, part);
    for (int y = 0; y < region.height; ++y) {
      const uint8_t* from = whole.row(y + 3) + 6;
      ASSERT_TRUE(std::equal(from, from + part.row_bytes(), part.row(y))) << path << " row " << y;
    }
    ++compared;
  }
  EXPECT_GT(compared, 50);
}

}  // namespace
}  // namespace resflow
