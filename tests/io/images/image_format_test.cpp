#include "io/images/image_format.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "io/core/bytes.h"

namespace resflow {
namespace {

using namespace std::string_view_literals;

std::string name_of(std::string_view content) {
  const ImageFormat* format = image_format(bytes_of(content));
  return format == nullptr ? "none" : std::string(format->name);
}

std::string expected_of(std::string_view path) {
  const ImageFormat* format = image_format_of_name(path);
  return format == nullptr ? "none" : std::string(format->name);
}

TEST(ImageFormat, IsToldByTheFirstBytes) {
  EXPECT_EQ(name_of("\xFF\xD8\xFF\xE0"), "JPEG");
  EXPECT_EQ(name_of("\x89PNG\r\n\x1A\n"), "PNG");
  EXPECT_EQ(name_of("RIFF\x24\0\0\0WEBPVP8 "sv), "WebP");
  EXPECT_EQ(name_of("RIFF\x24\0\0\0WAVEfmt "sv), "none");
  EXPECT_EQ(name_of("GIF89a"), "GIF");
  EXPECT_EQ(name_of("Bmw was here"), "none");
  EXPECT_EQ(name_of("BM was here, and the text goes on"), "none");
  EXPECT_EQ(name_of("BM\x46\0\0\0abcd\x36\0\0\0\x28\0\0\0"sv), "BMP");
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) EXPECT_EQ(name_of(magic), "TIFF");
  for (const auto magic : {"P1\n"sv, "P4\r"sv, "P6 "sv, "P5\t"sv, "P7\n"sv}) EXPECT_EQ(name_of(magic), "PNM");
  EXPECT_EQ(name_of("P8\n"), "none");
  EXPECT_EQ(name_of(""), "none");
}

TEST(ImageFormat, IsKnownBySightWhereItCannotBeRead) {
  EXPECT_EQ(name_of("\0\0\0\030ftypheic\0\0\0\0mif1heic"sv), "HEIC");
  EXPECT_EQ(name_of("\0\0\0\030ftypmif1\0\0\0\0mif1heic"sv), "HEIC");
  EXPECT_EQ(name_of("\0\0\0\034ftypavif"sv), "AVIF");
  EXPECT_EQ(name_of("\0\0\0\034ftypmif1\0\0\0\0mif1avifmiaf"sv), "AVIF");
  EXPECT_EQ(name_of("\0\0\0\030ftypisom\0\0\2\0isommp42"sv), "video (MP4, QuickTime)");
  EXPECT_EQ(name_of("\377\012"), "JPEG XL");
  EXPECT_EQ(name_of("\0\0\0\014JXL \r\n\207\n"sv), "JPEG XL");
  EXPECT_EQ(name_of("\0\0\0\014jP  \r\n\207\n"sv), "JPEG 2000");
  EXPECT_EQ(name_of("\377\117\377\121"), "JPEG 2000");
  EXPECT_EQ(name_of("8BPS\0\1"sv), "PSD");
  EXPECT_EQ(name_of("\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\x68\4\0\0\x16\0\0\0"sv), "ICO");
  EXPECT_EQ(name_of("\0\0\1\0"sv), "none");
  EXPECT_EQ(name_of("<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG");
  EXPECT_EQ(name_of("\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- a --><svg/>"), "SVG");
  EXPECT_EQ(name_of("<?xml version='1.0'?>\n<note/>"), "web page");
  EXPECT_EQ(name_of("<!DOCTYPE html><html>"), "web page");
  EXPECT_EQ(name_of("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"), "Git LFS pointer");
  EXPECT_EQ(name_of("\0\5\26\7\0\2\0\0Mac OS X        "sv), "resource fork of macOS (AppleDouble)");
  EXPECT_EQ(name_of("%PDF-1.7"), "PDF");
  EXPECT_EQ(name_of("\x76\x2F\x31\x01\2"), "OpenEXR");
  EXPECT_EQ(name_of(std::string(128, '\0') + "DICM"), "DICOM");
}

TEST(ImageFormat, IsExpectedOfAName) {
  EXPECT_EQ(expected_of("a/x.JPG"), "JPEG");
  EXPECT_EQ(expected_of("a/x.jpeg"), "JPEG");
  EXPECT_EQ(expected_of("x.png"), "PNG");
  EXPECT_EQ(expected_of("x.webp"), "WebP");
  EXPECT_EQ(expected_of("x.tif"), "TIFF");
  EXPECT_EQ(expected_of("x.TIFF"), "TIFF");
  EXPECT_EQ(expected_of("x.bmp"), "BMP");
  EXPECT_EQ(expected_of("x.ppm"), "PNM");
  EXPECT_EQ(expected_of("x.pgm"), "PNM");
  // torchvision's ImageFolder passes these over, and so does every walk of resflow's.
  for (const char* name : {"x.gif", "x.pbm", "x.jpg.txt", "jpg", "x", ""}) EXPECT_EQ(expected_of(name), "none") << name;
}

TEST(ImageFormat, EveryExtensionIsOneOfThoseThatSentencesList) {
  EXPECT_EQ(image_extensions(), ".jpg .jpeg .png .webp .tif .tiff .bmp .ppm .pgm");
  for (const char* name : {"x.jpg", "x.PnG", ".webp"}) EXPECT_TRUE(has_image_extension(name)) << name;
  EXPECT_FALSE(has_image_extension("x.gif"));
}

TEST(ImageFormat, EachRowOfTheTableIsAFormatOfItsOwn) {
  std::set<std::string_view> names, extensions;
  for (const ImageFormat& format : image_formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_NE(format.begins, nullptr) << format.name;
    for (const std::string_view extension : format.extensions) {
      if (extension.empty()) continue;
      EXPECT_TRUE(extensions.insert(extension).second) << extension;
      // Pictures that a walk finds are such as can be read.
      EXPECT_NE(format.make_reader, nullptr) << extension;
    }
  }
  EXPECT_EQ(names.size(), 21U);
}

TEST(ImageFormat, UnreadableFilesAreDescribed) {
  EXPECT_EQ(describe_unreadable(bytes_of("GIF89a"), "a/x.jpg"),
            "is a GIF named .jpg; resflow reads JPEG, PNG, WebP, TIFF, BMP and PNM (PPM, PGM, PBM)");
  EXPECT_EQ(describe_unreadable({}, "x.jpg"), "is empty: 0 bytes");
  EXPECT_EQ(describe_unreadable(bytes_of("some words"), "a.b/x").find("is a text; "), 0U);
  EXPECT_EQ(describe_unreadable(bytes_of("<html>"), "a/x.jpg"),
            "is a web page named .jpg: the download gave a page, not the picture");
  EXPECT_EQ(describe_unreadable(bytes_of("version https://git-lfs.github.com/spec/v1\nsize 102230000\n"), "x.jpg"),
            "is a Git LFS pointer to a file of 102.2 MB, and not the file: git lfs pull brings it");
  EXPECT_EQ(describe_unreadable(bytes_of("\0\5\26\7\0"sv), "._x.jpg"),
            "is a resource fork of macOS (AppleDouble), no picture");
  EXPECT_EQ(describe_unreadable(bytes_of("\0\0\0\034ftypavif"sv), "x.jpg").find("is an AVIF named .jpg; "), 0U);
}

TEST(ImageFormat, OrientationIsUprightWhereTheFormatHasNoPlaceForIt) {
  EXPECT_TRUE(read_orientation(bytes_of("BM"), nullptr).is_upright());
  for (const ImageFormat& format : image_formats())
    EXPECT_TRUE(read_orientation(bytes_of("no picture"), &format).is_upright()) << format.name;
}

}  // namespace
}  // namespace resflow
