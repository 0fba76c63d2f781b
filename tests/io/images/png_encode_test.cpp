#include "io/images/png_encode.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <random>

#include "io/images/decode.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/pillow_peer.h"

namespace resflow {
namespace {

using testing::digest;
using testing::expect_error;
using testing::TemporaryFolder;

Image noise_image(int width, int height) {
  Image image;
  image.resize(width, height);
  std::mt19937 random(3);
  for (int y = 0; y < height; ++y) {
    for (size_t i = 0; i < image.row_bytes(); ++i) image.row(y)[i] = static_cast<uint8_t>(random());
  }
  return image;
}

TEST(EncodePng, ComesBackTheSame) {
  Decoder decoder;
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 300}, {640, 3}}) {
    const Image image = noise_image(width, height);
    const auto bytes = encode_png(image);
    Image back;
    decoder.open(bytes);
    EXPECT_EQ(decoder.format()->name, "PNG");
    decoder.decode(back);
    EXPECT_EQ(digest(back), digest(image));
  }
}

TEST(EncodePng, IsReadByPillowAsItWas) {
  if (!testing::python_has({"PIL"})) GTEST_SKIP() << testing::kNoPillow;
  const TemporaryFolder folder;
  const Image image = noise_image(83, 61);
  const auto bytes = encode_png(image);
  std::ofstream(folder / "x.png", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(testing::verdicts({folder / "x.png"}).at(0).theirs, digest(image));
}

TEST(EncodePng, IsTheSameEachTimeAndSmallOfPlainPictures) {
  EXPECT_EQ(encode_png(noise_image(64, 64)), encode_png(noise_image(64, 64)));
  Image plain;
  plain.resize(200, 200);
  std::memset(plain.row(0), 77, plain.row_bytes() * 200);
  EXPECT_LT(encode_png(plain).size(), 1000);
}

TEST(EncodePng, RefusesWhatCannotBe) {
  expect_error(ErrorKind::kInternal, {"0x0", "PNG"}, [] { encode_png(Image()); });
}

}  // namespace
}  // namespace resflow
