#include "apps/report/thumbnail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/program.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Thumbnails, KeepTheRatioAndDoNotEnlarge) {
  const testing::TemporaryFolder folder;
  Image wide;
  wide.resize(300, 100);
  std::fill_n(wide.row(0), wide.row_bytes() * 100, uint8_t{90});
  const auto bytes = encode_jpeg(wide);
  testing::write_text(folder / "wide.jpg", {bytes.begin(), bytes.end()});
  Thumbnails thumbnails;
  const Thumbnail small = thumbnails.make({.path = folder / "wide.jpg"}, 60);
  EXPECT_EQ(small.width, 60);
  EXPECT_EQ(small.height, 20);
  EXPECT_THAT(small.uri, StartsWith("data:image/jpeg;base64,"));
  const Thumbnail whole = thumbnails.make({.path = folder / "wide.jpg"}, 1000);
  EXPECT_EQ(whole.width, 300);
  EXPECT_EQ(whole.height, 100);
}

TEST(Thumbnails, AFileThatCannotBeReadHasAReason) {
  const testing::TemporaryFolder folder;
  testing::write_text(folder / "no.jpg", "no picture");
  Thumbnails thumbnails;
  for (const char* name : {"no.jpg", "absent.jpg"}) {
    const Thumbnail none = thumbnails.make({.path = folder / name}, 60);
    EXPECT_EQ(none.uri, "");
    EXPECT_NE(none.reason, "");
  }
}

TEST(Thumbnails, AnElongatedPictureHasAReason) {
  const testing::TemporaryFolder folder;
  testing::write_text(folder / "long.pbm", "P4 1 9000000\n" + std::string(9'000'000, '\0'));
  Thumbnails thumbnails;
  const Thumbnail none = thumbnails.make({.path = folder / "long.pbm"}, 60);
  EXPECT_EQ(none.uri, "");
  EXPECT_THAT(none.reason, StartsWith("is 1x9000000 pixels: too elongated"));
}

}  // namespace
}  // namespace resflow
