// Covers: io/images/exif_write io/images/orientation
#include "io/images/exif.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "io/images/decode.h"
#include "io/images/exif_write.h"
#include "io/images/image_format.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/made_jpeg.h"
#include "tests/io/images/pillow_peer.h"

namespace resflow {
namespace {

using testing::Agreement;
using testing::digest;
using testing::expect_pillow_agrees;
using testing::kNoPillow;
using testing::made_files;
using testing::python_has;
using testing::TemporaryFolder;
using testing::Verdicts;

TEST(Exif, EveryOrientationEqualsPillowsTranspose) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const auto paths = made_files(folder, "make_exif.py", "kinds");
  const Agreement upright = expect_pillow_agrees(paths, true);
  EXPECT_EQ(upright.both_refuse, 0);
  EXPECT_GT(upright.same_pixels, 300);
  // The same files as they are stored.
  EXPECT_EQ(expect_pillow_agrees(paths, false).same_pixels, upright.same_pixels);
}

TEST(Exif, IsOffAtFirst) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  made_files(folder, "make_exif.py", "kinds");
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(folder / "kinds/jpeg-6-big-37x23.jpg", buffer);
  Decoder decoder;
  decoder.open(bytes);
  EXPECT_EQ(decoder.width(), 37);
  EXPECT_EQ(decoder.height(), 23);
  decoder.set_exif(true);
  decoder.open(bytes);
  EXPECT_EQ(decoder.width(), 23);
  EXPECT_EQ(decoder.height(), 37);
  // Nothing of it reaches a file without EXIF.
  decoder.open(testing::make_jpeg({.width = 64, .height = 48}));
  EXPECT_EQ(decoder.width(), 64);
}

// Where Pillow raises an error for EXIF data, the picture is taken as it is stored.
TEST(Exif, OddAndMalformedDataEqualPillowOrAreAsStored) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  const auto paths = made_files(folder, "make_exif.py", "odd");
  const std::string as_stored = testing::verdicts({paths[0]}).at(0).theirs;
  int raised = 0, turned = 0;
  for (const Verdicts& both : testing::verdicts(paths, true)) {
    EXPECT_EQ(both.ours, both.they_refuse() ? as_stored : both.theirs) << both.path;
    raised += both.they_refuse() ? 1 : 0;
    turned += both.ours != as_stored ? 1 : 0;
  }
  EXPECT_GT(raised, 0);
  EXPECT_GT(turned, 10);
}

TEST(Exif, RegionsOfUprightPicturesEqualTheWhole) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  Decoder decoder;
  decoder.set_exif(true);
  for (const auto& path : made_files(folder, "make_exif.py", "kinds"))
    testing::expect_regions_equal_the_whole(path, decoder);
}

TEST(Exif, ATiffIsUprightWithoutBeingAskedAndIsNotTurnedTwice) {
  if (!python_has({"PIL"})) GTEST_SKIP() << kNoPillow;
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (const auto& path : made_files(folder, "make_tiffs.py", "kinds")) {
    if (path.find("orientation") != std::string::npos) paths.push_back(path);
  }
  EXPECT_EQ(expect_pillow_agrees(paths, true).same_pixels, static_cast<int>(paths.size()));
  EXPECT_GE(paths.size(), 40U);
}

std::vector<uint8_t> exif_with(const std::string& value) {
  using namespace std::string_literals;
  const std::string text = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0"s + value;
  return {text.begin(), text.end()};
}

TEST(Exif, BytesByThemselves) {
  using namespace std::string_literals;
  EXPECT_EQ(exif_orientation(exif_with("\x08\0\0\0"s)).exif(), 8);
  EXPECT_EQ(exif_orientation(exif_with("\x09\0\0\0"s)).exif(), 1);
  EXPECT_EQ(exif_orientation(exif_with("\6\1\0\0"s)).exif(), 1);
  EXPECT_EQ(exif_orientation(exif_with("\x08\0\0"s)).exif(), 1);
  EXPECT_EQ(exif_orientation({}).exif(), 1);
}

TEST(Exif, AnOrientationThatIsPutIntoAJpegComesBack) {
  const std::vector<uint8_t> jpeg = testing::make_jpeg({.width = 64, .height = 48});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    std::vector<uint8_t> turned = jpeg;
    put_orientation(turned, orientation);
    EXPECT_EQ(read_orientation(turned, image_format(turned)).exif(), orientation);
  }
  std::vector<uint8_t> text = {'t', 'e', 'x', 't'};
  testing::expect_error(ErrorKind::kInternal, {"no JPEG"}, [&] { put_orientation(text, 6); });
}

// Under the sanitizers a read outside of the bytes ends the test.
TEST(Exif, AnyBytesAreTaken) {
  std::mt19937 random(1);
  const std::vector<uint8_t> start = exif_with(std::string("\6\0\0\0", 4));
  int upright = 0;
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes = start;
    for (unsigned k = random() % 4; k > 0; --k) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    bytes.resize(random() % (bytes.size() + 1));
    const std::vector<uint8_t> exact(bytes);  // without room behind its end
    for (const ImageFormat& format : image_formats())
      if (format.orientation != nullptr) upright += read_orientation(exact, &format).is_upright() ? 1 : 0;
  }
  EXPECT_GT(upright, 70000);
}

}  // namespace
}  // namespace resflow
