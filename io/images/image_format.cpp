#include "io/images/image_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/utf8.h"
#include "io/files/stand_in.h"
#include "io/images/bmp.h"
#include "io/images/exif.h"
#include "io/images/jpeg.h"
#include "io/images/png.h"
#include "io/images/pnm.h"
#include "io/images/tiff.h"
#include "io/images/webp.h"

namespace resflow {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const uint8_t>;

bool is_gif(Bytes bytes) { return begins_with(bytes, "GIF87a") || begins_with(bytes, "GIF89a"); }
bool is_jpeg_xl(Bytes bytes) {
  return begins_with(bytes, "\xFF\x0A") || begins_with(bytes, "\0\0\0\x0CJXL \r\n\x87\n"sv);
}
bool is_jpeg_2000(Bytes bytes) {
  return begins_with(bytes, "\0\0\0\x0CjP  \r\n\x87\n"sv) || begins_with(bytes, "\xFF\x4F\xFF\x51");
}
bool is_psd(Bytes bytes) { return begins_with(bytes, "8BPS"); }
bool is_ico(Bytes bytes) {
  const bool begins = begins_with(bytes, "\0\0\1\0"sv) || begins_with(bytes, "\0\0\2\0"sv);
  return begins && bytes.size() >= 22 && bytes[9] == 0 && (bytes[4] > 0 || bytes[5] > 0);
}
bool is_exr(Bytes bytes) { return begins_with(bytes, "\x76\x2F\x31\x01"); }
bool is_pdf(Bytes bytes) { return begins_with(bytes, "%PDF-"); }
bool is_dicom(Bytes bytes) { return bytes.size() >= 132 && begins_with(bytes.subspan(128), "DICM"); }
bool is_apple_double(Bytes bytes) { return begins_with(bytes, "\0\5\x16\7"sv); }

// The brands that a file of ISO's media format names in its first box; "" where it is none. A box that is cut off gives
// those that there are.
std::string_view brands(Bytes bytes) {
  if (bytes.size() < 12 || !begins_with(bytes.subspan(4), "ftyp")) return {};
  const size_t box = std::min<size_t>({size_t{bytes[2]} << 8 | bytes[3], bytes.size(), 256});
  return {reinterpret_cast<const char*>(bytes.data()) + 8, std::max<size_t>(box, 12) - 8};
}

bool has_brand(std::string_view all, std::initializer_list<std::string_view> wanted) {
  for (size_t at = 0; at + 4 <= all.size(); at += 4)
    if (at != 4 && std::find(wanted.begin(), wanted.end(), all.substr(at, 4)) != wanted.end()) return true;
  return false;
}

bool is_avif(Bytes bytes) { return has_brand(brands(bytes), {"avif", "avis"}); }
bool is_heic(Bytes bytes) {
  return !is_avif(bytes) && has_brand(brands(bytes), {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"});
}
bool is_video(Bytes bytes) { return !brands(bytes).empty() && !is_avif(bytes) && !is_heic(bytes); }

std::string_view start_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 1024)};
}
bool is_svg(Bytes bytes) {
  std::string_view text = without_byte_order_mark(start_of(bytes));
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  const bool marked = text.starts_with("<?xml") || text.starts_with("<!--") || text.starts_with("<!DOCTYPE svg");
  return text.starts_with("<svg") || (marked && text.find("<svg") != std::string_view::npos);
}
bool is_page(Bytes bytes) { return !is_svg(bytes) && is_web_page(start_of(bytes)); }
bool is_lfs_pointer(Bytes bytes) { return !lfs_pointer(start_of(bytes)).empty(); }

Orientation orientation_of_png(Bytes png) {
  const std::string xmp = png_text(png, "XML:com.adobe.xmp");
  const Bytes packet = bytes_of(xmp);
  if (const Bytes exif = png_exif(png); !exif.empty()) return orientation_of(exif, packet);
  return orientation_of(raw_profile(png_text(png, "Raw profile type exif")), packet);
}

// No file begins as two of these do, so that the order of the rows is that of sentences alone.
constexpr ImageFormat kFormats[] = {
    {.name = "JPEG",
     .extensions = {".jpg", ".jpeg"},
     .begins = is_jpeg,
     .make_reader = make_jpeg_reader,
     .orientation = [](Bytes bytes) { return orientation_of(jpeg_exif(bytes), jpeg_xmp(bytes)); }},
    {.name = "PNG",
     .extensions = {".png"},
     .begins = is_png,
     .make_reader = make_png_reader,
     .orientation = orientation_of_png},
    {.name = "WebP",
     .extensions = {".webp"},
     .begins = is_webp,
     .make_reader = make_webp_reader,
     .orientation = [](Bytes bytes) { return orientation_of(webp_exif(bytes), webp_xmp(bytes)); }},
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
    {.name = "HEIC", .begins = is_heic},
    {.name = "AVIF", .article = "an", .begins = is_avif},
    {.name = "JPEG XL", .begins = is_jpeg_xl},
    {.name = "JPEG 2000", .begins = is_jpeg_2000},
    {.name = "PSD", .begins = is_psd},
    {.name = "ICO", .article = "an", .begins = is_ico},
    {.name = "SVG", .article = "an", .begins = is_svg},
    {.name = "OpenEXR", .article = "an", .begins = is_exr},
    {.name = "DICOM", .begins = is_dicom},
    {.name = "PDF", .begins = is_pdf},
    {.name = "video (MP4, QuickTime)", .begins = is_video},
    {.name = "resource fork of macOS (AppleDouble)", .begins = is_apple_double},
    {.name = "Git LFS pointer", .begins = is_lfs_pointer},
    {.name = "web page", .begins = is_page},
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

bool is_text(std::span<const uint8_t> bytes) {
  const auto start = bytes.first(std::min<size_t>(bytes.size(), 256));
  return std::all_of(start.begin(), start.end(),
                     [](uint8_t c) { return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t'; });
}

}  // namespace

std::span<const ImageFormat> image_formats() { return kFormats; }

std::string with_article(const ImageFormat& format) { return fmt::format("{} {}", format.article, format.name); }

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
  if (is_lfs_pointer(bytes)) return lfs_pointer(start_of(bytes));
  if (is_page(bytes)) return fmt::format("is a web page{}: the download gave a page, not the picture", named);
  if (is_apple_double(bytes)) return "is a resource fork of macOS (AppleDouble), no picture";
  if (const ImageFormat* format = image_format(bytes))
    return fmt::format("is {}{}; {}", with_article(*format), named, what_is_read());
  if (is_text(bytes)) return fmt::format("is a text{}; {}", named, what_is_read());
  return fmt::format("is no image of a known format; {}", what_is_read());
}

}  // namespace resflow
