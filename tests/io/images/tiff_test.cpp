// Covers: io/images/tiff_pixels
#include <gtest/gtest.h>
#include <tiffio.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/images/decode.h"
#include "io/images/orientation.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"

namespace resflow {
namespace {

using testing::Agreement;
using testing::digest;
using testing::expect_error;
using testing::expect_pillow_agrees;
using testing::kNoPillow;
using testing::made_files;
using testing::python_has;
using testing::TemporaryFolder;
using testing::verdict;
using testing::Verdicts;

TEST(Tiff, EqualsPillowForEveryKind) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  const Agreement agreement = expect_pillow_agrees(made_files(folder, "make_tiffs.py", "kinds"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(agreement.both_refuse, 0);
  EXPECT_GT(agreement.same_pixels, 1800);
}

TEST(Tiff, RefusesWhatPillowRefuses) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  const Agreement agreement = expect_pillow_agrees(made_files(folder, "make_tiffs.py", "refused"));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "libtiff's messages must not be printed";
  EXPECT_EQ(agreement.same_pixels, 0);
  EXPECT_GT(agreement.both_refuse, 30);
}

// Each a is a file that Pillow 9.4 mixes up, its b holds the same pixels as Pillow can read them. The a with an
// orientation must be the b turned.
TEST(Tiff, ReadsAsItIsMeantWhatPillowMixesUp) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  std::map<std::string, Verdicts> by_name;
  for (const Verdicts& both : testing::verdicts(made_files(folder, "make_tiffs.py", "meant")))
    by_name[std::filesystem::path(both.path).filename().string()] = both;
  int pairs = 0;
  for (const auto& [name, b] : by_name) {
    if (!name.ends_with("-b.tif")) continue;
    EXPECT_EQ(b.ours, b.theirs) << name;
    const Verdicts& a = by_name.at(name.substr(0, name.size() - 5) + "a.tif");
    const size_t told = name.find("orientation");
    if (told == std::string::npos) {
      EXPECT_NE(a.theirs, b.theirs) << name << ": this Pillow reads it, and it belongs to the kinds";
      EXPECT_EQ(a.ours, b.ours) << name;
    } else {
      std::vector<uint8_t> buffer;
      Decoder decoder;
      Image stored, upright;
      decoder.open(read_file(b.path, buffer));
      decoder.decode(stored);
      Orientation(name[told + std::string("orientation").size()] - '0').turn(stored, upright);
      EXPECT_EQ(a.ours, digest(upright)) << name;
    }
    ++pairs;
  }
  EXPECT_EQ(pairs, 12);
}

TEST(Tiff, RefusesEveryTruncatedFileInSilence) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const auto paths = made_files(folder, "make_tiffs.py", "cut", "800");
  Decoder decoder;
  ::testing::internal::CaptureStderr();
  for (const auto& path : paths) EXPECT_TRUE(verdict(path, decoder).starts_with("error")) << path;
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Tiff, DamagedFilesAreRefusedOrComeToPillowsPixels) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  int same = 0, both_refuse = 0, one_refuses = 0, different = 0;
  ::testing::internal::CaptureStderr();
  for (const Verdicts& both : testing::verdicts(made_files(folder, "make_tiffs.py", "damaged", "1000"))) {
    if (both.ours == both.theirs) {
      ++same;
    } else if (both.we_refuse() && both.they_refuse()) {
      ++both_refuse;
    } else {
      ++(both.we_refuse() || both.they_refuse() ? one_refuses : different);
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(same, 400);
  EXPECT_GT(both_refuse, 400);
  // Pillow reads the tags of files by itself, and does not stop where libtiff cannot decode a strip of YCbCr. Here it
  // was 20 of 1000; that much may differ, and pixels only where a damaged tag can be taken two ways, which was one.
  EXPECT_LT(one_refuses, 40);
  EXPECT_LT(different, 5);
}

TEST(Tiff, RegionsEqualTheWhole) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  Decoder decoder;
  size_t number = 0;
  for (const auto& path : made_files(folder, "make_tiffs.py", "kinds")) {
    if (number++ % 3 == 0 || path.find("orientation") != std::string::npos)
      testing::expect_regions_equal_the_whole(path, decoder);
  }
}

struct Entry {
  uint16_t tag;
  uint32_t value;
};

// A directory alone.
std::vector<uint8_t> tiff_of(const std::vector<Entry>& entries) {
  std::vector<uint8_t> bytes = {'I', 'I', 42, 0, 8, 0, 0, 0, static_cast<uint8_t>(entries.size()), 0};
  const auto put = [&](uint32_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
  };
  for (const Entry& entry : entries) {
    put(entry.tag, 2);
    put(4, 2);  // LONG
    put(1, 4);
    put(entry.value, 4);
  }
  put(0, 4);
  return bytes;
}

TEST(Tiff, HugeHeadersAreRefusedWithoutMemory) {
  Decoder decoder;
  Image image;
  expect_error(ErrorKind::kData, {"x.tif: ", "60000x60000", "178956970"}, [&] {
    decoder.open(tiff_of({{256, 60000}, {257, 60000}, {258, 8}, {259, 1}, {262, 1}, {273, 8}, {278, 60000}, {279, 4}}),
                 "x.tif");
  });
  expect_error(ErrorKind::kData, {"x.tif: broken TIFF: its header says 10x10 pixels in tiles of 65536x65536"}, [&] {
    decoder.open(
        tiff_of({{256, 10}, {257, 10}, {258, 8}, {259, 1}, {262, 1}, {322, 65536}, {323, 65536}, {324, 8}, {325, 4}}),
        "x.tif");
  });
}

// libtiff takes what fits of a strip or tile whose data hold more, and may leave the rest of the buffer as it was.
TEST(Tiff, NothingOfAPictureReachesTheNextOne) {
  const auto decoded = [](Decoder& decoder, std::vector<Entry> entries, std::span<const uint8_t> data) {
    const auto at = static_cast<uint32_t>(tiff_of(entries).size());
    for (Entry& entry : entries) {
      if (entry.tag == 273 || entry.tag == 324) entry.value = at;
      if (entry.tag == 279 || entry.tag == 325) entry.value = static_cast<uint32_t>(data.size());
    }
    std::vector<uint8_t> bytes = tiff_of(entries);
    bytes.insert(bytes.end(), data.begin(), data.end());
    decoder.open(bytes, "x.tif");
    Image image;
    decoder.decode(image);
    return digest(image);
  };
  const std::vector<uint8_t> white(300, 255);
  // 300 times the same grey, compressed.
  const std::vector<uint8_t> greys = {0x78, 0x9C, 0x2B, 0x28, 0x18, 0x05, 0xC4, 0x02, 0x00, 0x2E, 0xCF, 0x83, 0x41};
  const std::vector<Entry> grey = {{256, 16}, {257, 10}, {258, 8}, {259, 1}, {262, 1}};
  const std::vector<Entry> strip = {{273, 0}, {278, 10}, {279, 0}}, tile = {{322, 16}, {323, 16}, {324, 0}, {325, 0}};
  for (const std::vector<Entry>& place : {strip, tile}) {
    std::vector<Entry> entries = grey;
    entries.insert(entries.end(), place.begin(), place.end());
    std::vector<Entry> compressed = entries;
    compressed[3].value = 8;  // deflate
    Decoder fresh, used;
    const std::string wanted = decoded(fresh, compressed, greys);
    decoded(used, entries, white);
    EXPECT_EQ(decoded(used, compressed, greys), wanted);
  }
}

// The segment of a JPEG that holds its quantization table, from its marker on.
std::string quantization_of(const std::string& jpeg) {
  const size_t at = jpeg.find("\xFF\xDB");
  return jpeg.substr(at, 2 + 256U * static_cast<uint8_t>(jpeg[at + 2]) + static_cast<uint8_t>(jpeg[at + 3]));
}

// Two strips of JPEG: the first takes its quantization from the file's tables, the second brings another one along.
void write_strips_of_two_tables(const std::string& path) {
  const auto grey = [](int quality) {
    const auto bytes =
        testing::make_jpeg({.width = 16, .height = 16, .channels = 1, .h = 1, .v = 1, .quality = quality});
    return std::string(bytes.begin(), bytes.end());
  };
  std::string fine = grey(85), second = fine, tables = "\xFF\xD8" + quantization_of(grey(10)) + "\xFF\xD9";
  std::string first = fine.erase(fine.find("\xFF\xDB"), quantization_of(fine).size());
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 16);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 32);
  TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 16);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
  TIFFSetField(tiff, TIFFTAG_JPEGTABLES, static_cast<uint32_t>(tables.size()), tables.data());
  TIFFWriteRawStrip(tiff, 0, first.data(), static_cast<tmsize_t>(first.size()));
  TIFFWriteRawStrip(tiff, 1, second.data(), static_cast<tmsize_t>(second.size()));
  TIFFClose(tiff);
}

TEST(Tiff, NothingOfADecodingReachesTheNextOne) {
  const TemporaryFolder folder;
  write_strips_of_two_tables(folder / "x.tif");
  std::vector<uint8_t> buffer;
  Decoder decoder;
  Image first, second;
  decoder.open(read_file(folder / "x.tif", buffer), "x.tif");
  decoder.decode(first);
  decoder.decode(second);
  EXPECT_EQ(digest(second), digest(first));
  // The tables differ: the same blocks come to two pictures.
  EXPECT_FALSE(std::equal(first.row(0), first.row(0) + first.row_bytes(), first.row(16)));
}

TEST(Tiff, SaysWhatIsNotRead) {
  Decoder decoder;
  const auto open = [&](uint32_t bits, uint32_t compression, uint32_t photometric) {
    decoder.open(tiff_of({{256, 2}, {257, 2}, {258, bits}, {259, compression}, {262, photometric}, {273, 8}, {279, 4}}),
                 "x.tif");
  };
  expect_error(ErrorKind::kData, {"x.tif: is a TIFF of grey pixels, 1 samples of 3 bits, which is not read"},
               [&] { open(3, 1, 1); });
  expect_error(ErrorKind::kData, {"x.tif: is a TIFF of L*a*b* pixels"}, [&] { open(8, 1, 8); });
  expect_error(ErrorKind::kData, {"x.tif: is a TIFF of compression 34887, which is not read"},
               [&] { open(8, 34887, 1); });
}

}  // namespace
}  // namespace resflow
