#include "io/images/image_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "io/core/bytes.h"
#include "io/images/bmp.h"
#include "io/images/exif.h"
#include "io/images/jpeg.h"
#include "io/images/png.h"
#include "io/images/pnm.h"
#include "io/images/tiff.h"
#include "io/images/webp.h"

namespace resflow {
namespace {

bool is_gif(std::span<const uint8_t> bytes) { return begins_with(bytes, "GIF87a") || begins_with(bytes, "GIF89a"); }

// No file begins as two of these do, so that the order of the rows is that of sentences alone.
constexpr ImageFormat kFormats[] = {
    {.name = "JPEG",
     .extensions = {".jpg", ".jpeg"},
     .begins = is_jpeg,
     .make_reader = make_jpeg_reader,
     .orientation = [](std::span<const uint8_t> bytes) { return exif_orientation(jpeg_exif(bytes)); }},
    {.name = "PNG",
     .extensions = {".png"},
     .begins = is_png,
     .make_reader = make_png_reader,
     .orientation = [](std::span<const uint8_t> bytes) { return exif_orientation(png_exif(bytes)); }},
    {.name = "WebP",
     .extensions = {".webp"},
     .begins = is_webp,
     .make_reader = make_webp_reader,
     .orientation = [](std::span<const uint8_t> bytes) { return exif_orientation(webp_exif(bytes)); }},
    {.name = "TIFF",
     .extensions = {".tif", ".tiff"},
     .begins = is_tiff,
     .make_reader = make_tiff_reader,
     .orientation = tiff_orientation,
     .always_upright = true},
    {.name = "BMP", .extensions = {".bmp"}, .begins = is_bmp, .make_reader = make_bmp_reader},
    {.name = "PNM",
     .kinds = " (PPM, PGM, PBM)",
     .extensions = {".ppm", ".pgm"},
     .begins = is_pnm,
     .make_reader = make_pnm_reader},
    {.name = "GIF", .begins = is_gif},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool ends_with_ignoring_case(std::string_view path, std::string_view extension) {
  return path.size() >= extension.size() &&
         std::equal(extension.begin(), extension.end(), path.end() - static_cast<std::ptrdiff_t>(extension.size()),
                    [](char wanted, char c) { return wanted == lower(c); });
}

// "resflow reads JPEG, PNG and BMP"
std::string what_is_read() {
  std::vector<std::string> names;
  for (const ImageFormat& format : kFormats)
    if (format.make_reader != nullptr) names.push_back(fmt::format("{}{}", format.name, format.kinds));
  std::string sentence = "resflow reads " + names.front();
  for (size_t i = 1; i < names.size(); ++i) sentence += (i + 1 < names.size() ? ", " : " and ") + names[i];
  return sentence;
}

// A page that a web server sent instead of a picture is the usual case.
bool is_text(std::span<const uint8_t> bytes) {
  const auto start = bytes.first(std::min<size_t>(bytes.size(), 256));
  return std::all_of(start.begin(), start.end(),
                     [](uint8_t c) { return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t'; });
}

}  // namespace

std::span<const ImageFormat> image_formats() { return kFormats; }

const ImageFormat* image_format(std::span<const uint8_t> bytes) {
  const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [&](const ImageFormat& format) { return format.begins(bytes); });
  return found == std::end(kFormats) ? nullptr : found;
}

const ImageFormat* image_format_of_name(std::string_view path) {
  for (const ImageFormat& format : kFormats)
    for (const std::string_view extension : format.extensions)
      if (!extension.empty() && ends_with_ignoring_case(path, extension)) return &format;
  return nullptr;
}

bool has_image_extension(std::string_view path) { return image_format_of_name(path) != nullptr; }

const std::string& image_extensions() {
  static const std::string kAll = [] {
    std::string all;
    for (const ImageFormat& format : kFormats)
      for (const std::string_view extension : format.extensions)
        if (!extension.empty()) all += fmt::format("{}{}", all.empty() ? "" : " ", extension);
    return all;
  }();
  return kAll;
}

Orientation read_orientation(std::span<const uint8_t> bytes, const ImageFormat* format) {
  return format == nullptr || format->orientation == nullptr ? Orientation() : format->orientation(bytes);
}

std::string describe_unreadable(std::span<const uint8_t> bytes, std::string_view name) {
  if (bytes.empty()) return "is empty: 0 bytes";
  const size_t slash = name.rfind('/'), dot = name.rfind('.');
  const bool has_extension = dot != std::string_view::npos && (slash == std::string_view::npos || dot > slash);
  const std::string named = has_extension ? fmt::format(" named {}", name.substr(dot)) : "";
  if (const ImageFormat* format = image_format(bytes))
    return fmt::format("is a {}{}; {}", format->name, named, what_is_read());
  if (is_text(bytes)) return fmt::format("is a text{}; {}", named, what_is_read());
  return fmt::format("is no image of a known format; {}", what_is_read());
}

}  // namespace resflow
