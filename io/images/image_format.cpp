#include "io/images/image_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace resflow {
namespace {

constexpr std::string_view kReadFormats = "resflow reads JPEG, PNG, WebP, TIFF, BMP and PNM (PPM, PGM, PBM)";

bool begins_with(std::span<const uint8_t> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, uint8_t byte) { return static_cast<uint8_t>(c) == byte; });
}

// The four bytes at 6 are zero in nearly every BMP; where they are not, the header's length tells.
bool has_bmp_header(std::span<const uint8_t> bytes) {
  using namespace std::string_view_literals;
  constexpr std::array kLengths = {"\x0C\0\0\0"sv, "\x28\0\0\0"sv, "\x40\0\0\0"sv, "\x6C\0\0\0"sv, "\x7C\0\0\0"sv};
  return std::any_of(kLengths.begin(), kLengths.end(), [&](auto length) { return begins_with(bytes, length, 14); });
}

// A page that a web server sent instead of a picture is the usual case.
bool is_text(std::span<const uint8_t> bytes) {
  const auto start = bytes.first(std::min<size_t>(bytes.size(), 256));
  return std::all_of(start.begin(), start.end(),
                     [](uint8_t c) { return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t'; });
}

}  // namespace

ImageFormat image_format(std::span<const uint8_t> bytes) {
  using namespace std::string_view_literals;
  if (begins_with(bytes, "\xFF\xD8\xFF"sv)) return ImageFormat::kJpeg;
  if (begins_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return ImageFormat::kPng;
  if (begins_with(bytes, "GIF87a"sv) || begins_with(bytes, "GIF89a"sv)) return ImageFormat::kGif;
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {  // the last two are BigTIFF
    if (begins_with(bytes, magic)) return ImageFormat::kTiff;
  }
  if (begins_with(bytes, "RIFF"sv) && begins_with(bytes, "WEBP"sv, 8)) return ImageFormat::kWebp;
  // Two letters alone would take texts for a BMP.
  if (begins_with(bytes, "BM"sv) && (begins_with(bytes, "\0\0\0\0"sv, 6) || has_bmp_header(bytes)))
    return ImageFormat::kBmp;
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
      (bytes[2] == ' ' || (bytes[2] >= '\t' && bytes[2] <= '\r')))
    return ImageFormat::kPnm;
  return ImageFormat::kUnknown;
}

std::string_view image_format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kGif:
      return "GIF";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kPnm:
      return "PNM";
    case ImageFormat::kTiff:
      return "TIFF";
    case ImageFormat::kWebp:
      return "WebP";
    case ImageFormat::kUnknown:
      break;
  }
  return "unknown";
}

std::string describe_unreadable(std::span<const uint8_t> bytes, std::string_view name) {
  if (bytes.empty()) return "is empty: 0 bytes";
  const size_t slash = name.rfind('/'), dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash);
  const std::string named = has_extension ? fmt::format(" named {}", name.substr(dot)) : "";
  const ImageFormat format = image_format(bytes);
  if (format != ImageFormat::kUnknown)
    return fmt::format("is a {}{}; {}", image_format_name(format), named, kReadFormats);
  if (is_text(bytes)) return fmt::format("is a text{}; {}", named, kReadFormats);
  return fmt::format("is no image of a known format; {}", kReadFormats);
}

}  // namespace resflow
