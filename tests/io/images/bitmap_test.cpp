// Covers: io/images/bmp io/images/bmp_header io/images/pnm
// BMP and PNM.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "io/images/decode.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/pillow_peer.h"

namespace resflow {
namespace {

using testing::Agreement;
using testing::expect_error;
using testing::expect_pillow_agrees;
using testing::kNoPillow;
using testing::made_files;
using testing::python_has;
using testing::TemporaryFolder;
using testing::Verdicts;

TEST(Bitmaps, EqualPillowForEveryKind) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const Agreement agreement = expect_pillow_agrees(made_files(folder, "make_bitmaps.py", "kinds"));
  EXPECT_EQ(agreement.both_refuse, 0);
  EXPECT_GT(agreement.same_pixels, 600);
}

TEST(Bitmaps, RefuseWhatPillowRefuses) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const Agreement agreement = expect_pillow_agrees(made_files(folder, "make_bitmaps.py", "refused"));
  EXPECT_EQ(agreement.same_pixels, 0);
  EXPECT_GT(agreement.both_refuse, 30);
}

// Of a plain file that ends early without a line end Pillow 9.4 repeats the last number until there are enough.
bool is_truncated_plain_file(const Verdicts& both) {
  return both.ours.starts_with("error truncated PNM") && !both.they_refuse();
}

TEST(Bitmaps, EqualPillowOnTruncatedAndDamagedFiles) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const Agreement agreement =
      expect_pillow_agrees(made_files(folder, "make_bitmaps.py", "broken", "1500"), false, is_truncated_plain_file);
  EXPECT_GT(agreement.both_refuse, 500);
  EXPECT_GT(agreement.same_pixels, 300);
  EXPECT_LT(agreement.tolerated, 100);
}

TEST(Bitmaps, RegionsEqualTheWhole) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  Decoder decoder;
  for (const auto& path : made_files(folder, "make_bitmaps.py", "kinds"))
    testing::expect_regions_equal_the_whole(path, decoder);
}

std::vector<uint8_t> vector_of(std::string_view text) { return {text.begin(), text.end()}; }

// The red channel of the picture, top row first: of greys and of palettes whose entry i is (i, 0, 0) their values.
std::vector<int> reds(const std::vector<uint8_t>& bytes) {
  Decoder decoder;
  Image image;
  decoder.open(bytes);
  decoder.decode(image);
  std::vector<int> values;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) values.push_back(image.row(y)[x * 3]);
  }
  return values;
}

// A BMP of 8 bits with the palette (i, 0, 0) of `colours`, or of black and white.
std::vector<uint8_t> bmp_of_indices(uint8_t width, uint8_t height, uint8_t compression, uint8_t colours,
                                    std::string_view pixels) {
  std::vector<uint8_t> bytes(54, 0);
  bytes[0] = 'B';
  bytes[1] = 'M';
  bytes[10] = static_cast<uint8_t>(54 + 4 * colours);
  bytes[14] = 40;
  bytes[18] = width;
  bytes[22] = height;
  bytes[26] = 1;
  bytes[28] = 8;
  bytes[30] = compression;
  bytes[46] = colours;
  for (uint8_t i = 0; i < colours; ++i) {
    const auto grey = static_cast<uint8_t>(colours == 2 ? i * 255 : 0);
    bytes.insert(bytes.end(), {grey, grey, colours == 2 ? grey : i, 0});
  }
  bytes.insert(bytes.end(), pixels.begin(), pixels.end());
  return bytes;
}

// Pillow 9.4 reads four bytes of a jump, and takes the second two for it; it leaves out empty rows.
TEST(Bitmaps, JumpsAndEmptyRowsOfRunsAreReadAsTheyAreMeant) {
  using namespace std::string_view_literals;
  EXPECT_EQ(reds(bmp_of_indices(4, 3, 1, 9, "\2\1\0\2\1\1\1\3\0\0\4\4\0\1"sv)),
            (std::vector<int>{4, 4, 4, 4, 0, 0, 0, 3, 1, 1, 0, 0}));
  EXPECT_EQ(reds(bmp_of_indices(2, 3, 1, 9, "\0\0\2\5\0\0\2\6\0\1"sv)), (std::vector<int>{6, 6, 5, 5, 0, 0}));
}

// Pillow 9.4 takes these 8 bits a pixel for one bit.
TEST(Bitmaps, ABlackAndWhitePaletteKeepsTheWidthOfPixels) {
  using namespace std::string_view_literals;
  EXPECT_EQ(reds(bmp_of_indices(4, 1, 0, 2, "\0\1\1\0"sv)), (std::vector<int>{0, 255, 255, 0}));
}

// Pillow 9.4 puts the end of one megabyte before each of those that follow.
TEST(Bitmaps, PlainFilesAboveAMegabyteAreReadAsTheyAreMeant) {
  std::string text = "P2 1000 900 999\n";
  std::vector<int> wanted;
  for (int i = 0; i < 900'000; ++i) {
    const int value = i % 7 == 0 ? 1 : i % 2;  // of 65,535: 0 and, after clipping, 66
    text += value == 0 ? "0 " : i % 3 == 0 ? "001\n" : "1 ";
    wanted.push_back(value == 0 ? 0 : 66);
  }
  EXPECT_EQ(reds(vector_of(text)), wanted);
}

TEST(Bitmaps, SayWhatIsWrong) {
  Decoder decoder;
  Image image;
  const auto decode = [&](std::string_view text) {
    const auto bytes = vector_of(text);
    decoder.open(bytes, "x.ppm");
    decoder.decode(image);
  };
  expect_error(ErrorKind::kData, {"x.ppm: truncated PNM: 3 bytes of pixels, wanted 4"},
               [&] { decode("P5 2 2 255\nabc"); });
  expect_error(ErrorKind::kData, {"x.ppm: broken PNM: 9 before byte 17 is above its maximum 8"},
               [&] { decode("P2 2 2 8\n1 2 3 9 "); });
  expect_error(ErrorKind::kData, {"x.ppm: broken PNM: 0x78 before byte"}, [&] { decode("P3 1 1 8\n1 2 x\n"); });
  expect_error(ErrorKind::kData, {"maximum of 0, wanted 1 to 65535"}, [&] { decode("P5 2 2 0\nabcd"); });
  // Before memory for the picture is asked for.
  expect_error(ErrorKind::kData, {"truncated PNM: 4 bytes of pixels, wanted 300000000"},
               [&] { decode("P6 10000 10000 255\nabcd"); });
}

}  // namespace
}  // namespace resflow
