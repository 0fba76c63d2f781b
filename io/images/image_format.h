// The formats of image files: which there are, and of which one a file is.
//
// A format is one row of the table in image_format.cpp, beside a reader of its own (io/images/image_reader.h) where
// resflow reads it. What a file is its first bytes say, and never its name.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/images/image_reader.h"
#include "io/images/orientation.h"

namespace resflow {

struct ImageFormat {
  std::string_view name;  // "JPEG"
  std::string_view article = "a";
  std::string_view kinds = {};  // for the sentence on what is read: " (PPM, PGM, PBM)"
  // Of files that a folder of pictures is searched for: lower case, with their dots.
  std::array<std::string_view, 2> extensions = {};
  // Whether a file that begins with these bytes is of this format.
  bool (*begins)(std::span<const uint8_t> bytes) = nullptr;
  // Null where resflow knows the format by sight only.
  std::unique_ptr<ImageReader> (*make_reader)() = nullptr;
  // What the file says of how it is to be turned; null where the format has no place for that.
  Orientation (*orientation)(std::span<const uint8_t> bytes) = nullptr;
  // Pillow turns its pictures upright without being asked, and so do we.
  bool always_upright = false;
};

// All rows, in the order in which sentences list them.
std::span<const ImageFormat> image_formats();

// "a JPEG", "an AVIF".
std::string with_article(const ImageFormat& format);

// The format of a file that begins with these bytes; null where it is none of them.
const ImageFormat* image_format(std::span<const uint8_t> bytes);

// The format that a file's extension speaks of, case ignored; null where it speaks of none that resflow reads.
const ImageFormat* image_format_of_name(std::string_view path);

// Whether the name ends as that of a picture does: in one of image_extensions(), case ignored.
bool has_image_extension(std::string_view path);
// ".jpg .jpeg .png ...": all extensions, for a sentence.
const std::string& image_extensions();

// How a file of this format is to be turned, as its EXIF data say (io/images/exif.h); upright where `format` is null or
// has no place for them. `bytes` may be anything.
Orientation read_orientation(std::span<const uint8_t> bytes, const ImageFormat* format);

// What a file of these bytes is where resflow cannot read it, to stand after its name:
// "is a GIF named .jpg; resflow reads JPEG, PNG, WebP, TIFF, BMP and PNM (PPM, PGM, PBM)".
std::string describe_unreadable(std::span<const uint8_t> bytes, std::string_view name);

}  // namespace resflow
