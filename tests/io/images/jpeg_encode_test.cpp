#include "io/images/jpeg_encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "io/images/decode.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

Image gradient(int width, int height) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = image.row(y) + x * 3;
      pixel[0] = static_cast<uint8_t>(x * 255 / width);
      pixel[1] = static_cast<uint8_t>(y * 255 / height);
      pixel[2] = static_cast<uint8_t>(128 + (x - y) * 100 / (width + height));
    }
  }
  return image;
}

TEST(EncodeJpeg, ComesBackNearlyTheSame) {
  const Image image = gradient(83, 61);
  Decoder decoder;
  Image back;
  const auto bytes = encode_jpeg(image, 95);
  decoder.open(bytes);
  decoder.decode(back);
  ASSERT_EQ(back.width(), 83);
  ASSERT_EQ(back.height(), 61);
  int worst = 0;
  for (int y = 0; y < 61; ++y) {
    for (size_t i = 0; i < image.row_bytes(); ++i) worst = std::max(worst, std::abs(image.row(y)[i] - back.row(y)[i]));
  }
  // Smooth colours survive quality 95 within a few steps; swapped channels or rows would be off by far more.
  EXPECT_LE(worst, 8);
}

TEST(EncodeJpeg, IsTheSameEachTimeAndSmallerAtLowerQuality) {
  const Image image = gradient(64, 64);
  EXPECT_EQ(encode_jpeg(image, 90), encode_jpeg(image, 90));
  EXPECT_LT(encode_jpeg(image, 20).size(), encode_jpeg(image, 95).size());
}

TEST(EncodeJpeg, RefusesWhatCannotBe) {
  expect_error(ErrorKind::kInternal, {"quality 0"}, [] { encode_jpeg(gradient(8, 8), 0); });
  expect_error(ErrorKind::kInternal, {"0x0"}, [] { encode_jpeg(Image(), 90); });
}

}  // namespace
}  // namespace resflow
