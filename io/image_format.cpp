#include "io/image_format.h"

#include <fmt/format.h>

#include <algorithm>

namespace resflow {
namespace {

bool starts_with(std::span<const uint8_t> bytes, std::string_view magic, size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c, uint8_t byte) { return static_cast<uint8_t>(c) == byte; });
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
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return ImageFormat::kJpeg;
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return ImageFormat::kPng;
  if (starts_with(bytes, "GIF87a"sv) || starts_with(bytes, "GIF89a"sv)) return ImageFormat::kGif;
  if (starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv)) return ImageFormat::kTiff;
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) return ImageFormat::kWebp;
  // Four zero bytes stand at 6 in every BMP: two letters alone would take texts for one.
  if (starts_with(bytes, "BM"sv) && starts_with(bytes, "\0\0\0\0"sv, 6)) return ImageFormat::kBmp;
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
      (bytes[2] == '\n' || bytes[2] == '\r' || bytes[2] == ' ' || bytes[2] == '\t'))
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
    return fmt::format("is a {}{}; resflow reads JPEG, PNG and WebP", image_format_name(format), named);
  if (is_text(bytes)) return fmt::format("is a text{}; resflow reads JPEG, PNG and WebP", named);
  return "is no image of a known format; resflow reads JPEG, PNG and WebP";
}

}  // namespace resflow
