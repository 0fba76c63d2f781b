// What an image file is, told by its first bytes and never by its name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

enum class ImageFormat { kUnknown, kJpeg, kPng, kGif, kBmp, kPnm, kTiff, kWebp };

ImageFormat image_format(std::span<const uint8_t> bytes);
std::string_view image_format_name(ImageFormat format);  // "JPEG", "PNG", ...

// What a file of these bytes is where resflow cannot read it, to stand after its name:
// "is a GIF named .jpg; resflow reads JPEG, PNG, WebP, TIFF, BMP and PNM (PPM, PGM, PBM)".
std::string describe_unreadable(std::span<const uint8_t> bytes, std::string_view name);

}  // namespace resflow
