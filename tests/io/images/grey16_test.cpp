// Covers: io/images/png_chunks
// 16-bit grey: clipped as Pillow does, or scaled; and kinds of TIFF and BMP that the newest Pillow reads. What is right
// is worked out from the formats; Pillow 13 gives the same.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/images/decode.h"
#include "io/images/exif.h"
#include "io/images/jpeg.h"
#include "io/images/png.h"
#include "io/images/webp.h"
#include "tests/io/expect_error.h"
#include "tests/io/images/made_jpeg.h"

namespace resflow {
namespace {

using namespace std::string_view_literals;

std::string little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 255);
  return text;
}
std::string big(uint64_t value, int bytes) {
  std::string text = little(value, bytes);
  return {text.rbegin(), text.rend()};
}

std::string chunk(const std::string& name, const std::string& content) {
  const std::string whole = name + content;
  const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(whole.data()), static_cast<uInt>(whole.size()));
  return big(content.size(), 4) + whole + big(crc, 4);
}

std::string deflated(const std::string& text) {
  uLongf bytes = ::compressBound(text.size());
  std::string packed(bytes, '\0');
  ::compress(reinterpret_cast<Bytef*>(packed.data()), &bytes, reinterpret_cast<const Bytef*>(text.data()), text.size());
  packed.resize(bytes);
  return packed;
}

// Of one row of 16-bit grey.
std::string png(const std::vector<uint16_t>& values, const std::string& more = {}) {
  std::string row(1, '\0');
  for (const uint16_t value : values) row += big(value, 2);
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", big(values.size(), 4) + big(1, 4) + std::string("\x10\0\0\0\0", 5)) +
         more + chunk("IDAT", deflated(row)) + chunk("IEND", "");
}

// One row, one strip.
std::string tiff(uint32_t width, unsigned bits, unsigned samples, unsigned photometric, const std::string& pixels,
                 bool big_endian = false, unsigned format = 1) {
  const auto number = [&](uint64_t value, int bytes) { return big_endian ? big(value, bytes) : little(value, bytes); };
  std::string all = (big_endian ? "MM" : "II") + number(42, 2) + number(8, 4), entries;
  int count = 0;
  const auto entry = [&](unsigned tag, unsigned type, uint32_t values, uint32_t value) {
    entries += number(tag, 2) + number(type, 2) + number(values, 4);
    entries += type == 3 && values == 1 ? number(value, 2) + std::string(2, '\0') : number(value, 4);
    ++count;
  };
  const uint32_t at = 8 + 2 + 10 * 12 + 4;
  entry(256, 4, 1, width);
  entry(257, 4, 1, 1);
  if (samples == 1)
    entry(258, 3, 1, bits);
  else
    entry(258, 3, samples, at);
  entry(259, 3, 1, 1);
  entry(262, 3, 1, photometric);
  entry(273, 4, 1, at + (samples == 1 ? 0 : 2 * samples));
  entry(277, 3, 1, samples);
  entry(278, 4, 1, 1);
  entry(279, 4, 1, static_cast<uint32_t>(pixels.size()));
  entry(339, 3, 1, format);
  all += number(static_cast<uint64_t>(count), 2) + entries + number(0, 4);
  for (unsigned i = 0; samples > 1 && i < samples; ++i) all += number(bits, 2);
  return all + pixels;
}

std::vector<int> levels(const std::string& file, bool scale, Decoder& decoder) {
  Image image;
  decoder.set_acceptance({.scale_grey16 = scale});
  decoder.open(bytes_of(file));
  decoder.decode(image);
  std::vector<int> all;
  for (int x = 0; x < image.width(); ++x) {
    all.push_back(image.row(0)[3 * x]);
    EXPECT_EQ(image.row(0)[3 * x], image.row(0)[3 * x + 1]);
    EXPECT_EQ(image.row(0)[3 * x], image.row(0)[3 * x + 2]);
  }
  return all;
}

TEST(Grey16, IsClippedAsPillowDoesOrScaledAndCounted) {
  const std::vector<uint16_t> values = {0, 1, 255, 256, 257, 4660, 32767, 65279, 65535};
  const std::vector<int> clipped = {0, 1, 255, 255, 255, 255, 255, 255, 255},
                         scaled = {0, 0, 0, 1, 1, 18, 127, 254, 255};
  std::string in_big, in_little, in_words;
  for (const uint16_t value : values) {
    in_big += big(value, 2);
    in_little += little(value, 2);
    in_words += std::to_string(value) + " ";
  }
  const std::vector<std::pair<std::string, std::string>> files = {
      {"PNG", png(values)},
      {"PGM", "P5 9 1 65535\n" + in_big},
      {"plain PGM", "P2 9 1 65535\n" + in_words},
      {"TIFF", tiff(9, 16, 1, 1, in_little)},
      {"TIFF, big-endian", tiff(9, 16, 1, 1, in_big, true)}};
  Decoder decoder;
  for (const auto& [name, file] : files) {
    SCOPED_TRACE(name);
    EXPECT_EQ(levels(file, false, decoder), clipped);
    EXPECT_EQ(decoder.grey16_pixels(), 9);
    EXPECT_EQ(decoder.clipped_pixels(), 6);
    EXPECT_EQ(levels(file, true, decoder), scaled);
    EXPECT_EQ(decoder.clipped_pixels(), 6);
  }
  // 12 bits of a TIFF; a maximum of its own of a PGM; and 8 bits, which nothing happens to.
  EXPECT_EQ(levels(tiff(2, 12, 1, 1, "\xFF\xF0\x12"), true, decoder), (std::vector<int>{255, 1}));
  EXPECT_EQ(decoder.grey16_pixels(), 2);
  EXPECT_EQ(levels("P5 2 1 1023\n" + big(1023, 2) + big(512, 2), true, decoder), (std::vector<int>{255, 128}));
  EXPECT_EQ(levels("P5 2 1 255\n\x10\xFF", true, decoder), (std::vector<int>{16, 255}));
  EXPECT_EQ(decoder.grey16_pixels(), 0);
}

TEST(Grey16, TheSettingHasTwoValues) {
  EXPECT_TRUE(acceptance(kMaxPixels, "refuse", "scale").scale_grey16);
  EXPECT_FALSE(acceptance(kMaxPixels, "refuse", "clip").scale_grey16);
  testing::expect_error(ErrorKind::kUsage, {"grey16", "clip or scale"}, [] { acceptance(kMaxPixels, "take", "wide"); });
}

TEST(NewestPillow, SignedGreyAndBigEndianCmykAreRead) {
  Decoder decoder;
  EXPECT_EQ(levels(tiff(3, 8, 1, 1, "\x05\x80\xFF", false, 2), false, decoder), (std::vector<int>{5, 128, 255}));
  EXPECT_EQ(levels(tiff(1, 16, 4, 5, big(0, 2) + big(0, 2) + big(0, 2) + big(0x40FF, 2), true), false, decoder),
            (std::vector<int>{0xFF - 0x40}));
}

// One pixel of the bytes 1 2 3 4.
std::string bitmap(uint32_t header, const std::vector<uint32_t>& masks) {
  std::string info = little(header, 4) + little(1, 4) + little(1, 4) + little(1, 2) + little(32, 2) + little(3, 4) +
                     std::string(20, '\0');
  for (const uint32_t mask : masks) info += little(mask, 4);
  return "BM" + std::string(8, '\0') + little(14 + info.size(), 4) + info + "\1\2\3\4";
}

TEST(NewestPillow, BitmapHeadersOf52And56BytesAndTheirMasksAreRead) {
  const auto pixel = [](const std::string& file) {
    Decoder decoder;
    Image image;
    decoder.open(bytes_of(file));
    decoder.decode(image);
    return std::vector<int>(image.row(0), image.row(0) + 3);
  };
  EXPECT_EQ(pixel(bitmap(52, {0xFF0000, 0xFF00, 0xFF})), (std::vector<int>{3, 2, 1}));
  EXPECT_EQ(pixel(bitmap(52, {0xFF000000, 0xFF00, 0xFF})), (std::vector<int>{4, 2, 1}));
  EXPECT_EQ(pixel(bitmap(56, {0xFF000000, 0xFF00, 0xFF, 0xFF0000})), (std::vector<int>{4, 2, 1}));
  EXPECT_EQ(pixel(bitmap(56, {0xFF, 0xFF00, 0xFF0000, 0xFF000000})), (std::vector<int>{1, 2, 3}));
  testing::expect_error(ErrorKind::kData, {"bit fields"}, [&] { pixel(bitmap(52, {0xFF00, 0xFF, 0xFF0000})); });
}

constexpr std::string_view kPacket = "<x:xmpmeta><rdf:Description tiff:Orientation=\"6\"/></x:xmpmeta>";

// EXIF data with this entry alone.
std::string exif_with(unsigned tag, unsigned value) {
  return "MM" + big(42, 2) + big(8, 4) + big(1, 2) + big(tag, 2) + big(3, 2) + big(1, 4) + big(value, 2) +
         std::string(6, '\0');
}

TEST(OrientationOf, XmpHoldsWhereExifHasNone) {
  const auto of = [](std::string_view exif, std::string_view xmp) {
    return orientation_of(bytes_of(exif), bytes_of(xmp)).exif();
  };
  EXPECT_EQ(of("", kPacket), 6);
  EXPECT_EQ(of("", "a tiff:Orientation='3' <tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(of("", "tiff:Orientation=\"9\" tiff:Orientation=\"6\""), 1);  // the first one, which is none
  EXPECT_EQ(of("", "tiff:Orientation"), 1);
  EXPECT_EQ(of(exif_with(0x0112, 3), kPacket), 3);
  EXPECT_EQ(of(exif_with(0x0112, 1), kPacket), 1);
  EXPECT_EQ(of(exif_with(0x0110, 3), kPacket), 6);
}

TEST(OrientationOf, RawProfilesAreHexadecimal) {
  EXPECT_EQ(raw_profile("\nexif\n      4\n0aFf\n 10 2a\n"), (std::vector<uint8_t>{0x0A, 0xFF, 0x10, 0x2A}));
  for (const char* text : {"", "\nexif\n", "\nexif\n 1\n0", "\nexif\n 1\n0x"}) EXPECT_TRUE(raw_profile(text).empty());
}

int turned(const std::string& file) { return read_orientation(bytes_of(file), image_format(bytes_of(file))).exif(); }

TEST(OrientationOf, EachFormatHasAPlaceForIt) {
  const std::string packet(kPacket), key = std::string("XML:com.adobe.xmp") + '\0';
  std::string profile = "\nexif\n      26\n";
  for (const char c : "Exif" + std::string(2, '\0') + exif_with(0x0112, 8)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    profile += kDigits[static_cast<uint8_t>(c) >> 4];
    profile += kDigits[c & 15];
  }
  const std::string raw = std::string("Raw profile type exif") + '\0';
  EXPECT_EQ(turned(png({1, 2})), 1);
  EXPECT_EQ(turned(png({1, 2}, chunk("iTXt", key + std::string(4, '\0') + packet))), 6);
  EXPECT_EQ(turned(png({1, 2}, chunk("iTXt", key + std::string("\1\0\0\0", 4) + deflated(packet)))), 6);
  EXPECT_EQ(turned(png({1, 2}, chunk("tEXt", raw + profile))), 8);
  EXPECT_EQ(turned(png({1, 2}, chunk("zTXt", raw + '\0' + deflated(profile)))), 8);
  EXPECT_EQ(turned(png({1, 2}, chunk("eXIf", exif_with(0x0112, 3)) + chunk("tEXt", raw + profile))), 3);
  // More than a text may have, and damaged.
  EXPECT_EQ(turned(png({1, 2}, chunk("zTXt", raw + '\0' + deflated(profile + std::string(1 << 20, '\n'))))), 1);
  EXPECT_EQ(turned(png({1, 2}, chunk("zTXt", raw + '\0' + "xyz"))), 1);

  const std::vector<uint8_t> made = testing::make_jpeg({.width = 16, .height = 16});
  const std::string jpeg(made.begin(), made.end());
  const std::string content = "http://ns.adobe.com/xap/1.0/" + std::string(1, '\0') + packet;
  EXPECT_EQ(turned(jpeg.substr(0, 2) + "\xFF\xE1" + big(content.size() + 2, 2) + content + jpeg.substr(2)), 6);

  const std::string pixels("\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0", 14);
  std::string webp = "WEBPVP8X" + little(10, 4) + "\4" + std::string(9, '\0') + "VP8L" + little(13, 4) + pixels +
                     "XMP " + little(packet.size(), 4) + packet + std::string(packet.size() % 2, '\0');
  EXPECT_EQ(turned("RIFF" + little(webp.size(), 4) + webp), 6);
}

}  // namespace
}  // namespace resflow
