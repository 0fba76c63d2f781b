#include "io/images/tiff_pixels.h"

#include <tiff.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "io/core/error.h"

namespace resflow {
namespace {

std::string_view photometric_name(uint16_t photometric) {
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
      return "grey";
    case PHOTOMETRIC_RGB:
      return "RGB";
    case PHOTOMETRIC_PALETTE:
      return "palette";
    case PHOTOMETRIC_SEPARATED:
      return "CMYK";
    case PHOTOMETRIC_YCBCR:
      return "YCbCr";
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
      return "L*a*b*";
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      return "LogLuv";
    case PHOTOMETRIC_CFA:
      return "camera raw";
    default:
      return "unknown";
  }
}

Error not_read(const TiffTags& tags) {
  static constexpr std::array<std::string_view, 4> kFormats = {"", "signed ", "floating-point ", "untyped "};
  const std::string_view format = tags.sample_format >= 1 && tags.sample_format <= 4
                                      ? kFormats[static_cast<size_t>(tags.sample_format) - 1]
                                      : "unknown ";
  return data_error("is a TIFF of {} pixels, {} {}samples of {} bits{}, which is not read",
                    photometric_name(tags.photometric), tags.samples, format, tags.bits,
                    tags.big_endian ? ", big-endian" : "");
}

bool has_small_bits(const TiffTags& tags) {
  return tags.bits == 1 || tags.bits == 2 || tags.bits == 4 || tags.bits == 8;
}

// True where the extra samples are `first` and others of no known kind.
bool extra_is(const TiffTags& tags, uint16_t first) {
  return !tags.extra.empty() && tags.extra[0] == first &&
         std::all_of(tags.extra.begin() + 1, tags.extra.end(), [](uint16_t kind) { return kind == 0; });
}

// What Pillow's table of grey pixels has beyond the small ones; the byte order matters to it.
bool set_wide_grey(const TiffTags& tags, TiffLayout& layout) {
  const bool little = !tags.big_endian, is_signed = tags.sample_format == SAMPLEFORMAT_INT;
  const bool plain = tags.sample_format == SAMPLEFORMAT_UINT, ordinary = tags.fill_order == FILLORDER_MSB2LSB;
  const bool from_black = tags.photometric == PHOTOMETRIC_MINISBLACK;
  if (tags.bits == 32 && tags.sample_format == SAMPLEFORMAT_IEEEFP && ordinary) {
    layout.pixels = TiffPixels::kFloat;
  } else if (tags.bits == 12 && plain && little && from_black && ordinary) {
    layout.pixels = TiffPixels::kGrey12;
  } else if (tags.bits == 16 && plain && (from_black ? little || ordinary : little && ordinary)) {
    layout.pixels = TiffPixels::kGrey16;
  } else if (tags.bits == 16 && is_signed && from_black && ordinary) {
    layout.pixels = TiffPixels::kSigned16;
  } else if (tags.bits == 32 && from_black && ordinary && (is_signed || (plain && little))) {
    layout.pixels = TiffPixels::kSigned32;
  } else {
    return false;
  }
  return true;
}

bool set_grey(const TiffTags& tags, TiffLayout& layout) {
  if (tags.samples == 1 && tags.extra.empty() && tags.sample_format == SAMPLEFORMAT_UINT && has_small_bits(tags)) {
    layout.pixels = TiffPixels::kGrey;
    layout.inverted = tags.photometric == PHOTOMETRIC_MINISWHITE;
    return true;
  }
  // Signed ones are taken as if they were none.
  if (tags.samples == 1 && tags.extra.empty() && tags.sample_format == SAMPLEFORMAT_INT && tags.bits == 8 &&
      tags.fill_order == FILLORDER_MSB2LSB && tags.photometric == PHOTOMETRIC_MINISBLACK)
    return true;
  if (tags.samples == 2) {
    return tags.photometric == PHOTOMETRIC_MINISBLACK && tags.bits == 8 && tags.sample_format == SAMPLEFORMAT_UINT &&
           tags.fill_order == FILLORDER_MSB2LSB && tags.extra == std::vector<uint16_t>{EXTRASAMPLE_UNASSALPHA};
  }
  return tags.samples == 1 && tags.extra.empty() && set_wide_grey(tags, layout);
}

bool set_palette(const TiffTags& tags, TiffLayout& layout) {
  layout.pixels = TiffPixels::kIndex;
  if (tags.samples == 1 && tags.extra.empty()) return has_small_bits(tags);
  return tags.samples == 2 && tags.bits == 8 && tags.fill_order == FILLORDER_MSB2LSB &&
         tags.extra == std::vector<uint16_t>{EXTRASAMPLE_UNASSALPHA};
}

bool set_rgb(const TiffTags& tags, TiffLayout& layout) {
  const bool alpha_untold = tags.samples == 4 && tags.extra.empty();
  const size_t extra = alpha_untold ? 1 : tags.extra.size();
  if (tags.samples != 3 + extra) return false;
  layout.pixels = TiffPixels::kRgb;
  layout.samples_needed = 3;
  if (extra_is(tags, EXTRASAMPLE_ASSOCALPHA)) {
    layout.pixels = TiffPixels::kRgbTimesAlpha;
    layout.samples_needed = 4;
  } else if (!tags.extra.empty() && !extra_is(tags, EXTRASAMPLE_UNSPECIFIED) &&
             !extra_is(tags, EXTRASAMPLE_UNASSALPHA)) {
    return false;
  }
  const bool ordinary = tags.fill_order == FILLORDER_MSB2LSB;
  return (tags.bits == 8 && extra <= 3 && (ordinary || extra == 0)) || (tags.bits == 16 && extra <= 1 && ordinary);
}

bool set_cmyk(const TiffTags& tags, TiffLayout& layout) {
  const size_t extra = tags.extra.size();
  if (tags.samples != 4 + extra || tags.fill_order != FILLORDER_MSB2LSB) return false;
  if (extra > 0 && !extra_is(tags, EXTRASAMPLE_UNSPECIFIED)) return false;
  layout.pixels = TiffPixels::kCmyk;
  layout.samples_needed = 4;
  return (tags.bits == 8 && extra <= 2) || (tags.bits == 16 && extra == 0);
}

// With JPEG's compression and the planes together libjpeg makes RGB of YCbCr, else libtiff does.
bool set_ycbcr(const TiffTags& tags, TiffLayout& layout) {
  const bool by_libjpeg = tags.compression == COMPRESSION_JPEG && tags.planar == PLANARCONFIG_CONTIG;
  layout.pixels = by_libjpeg ? TiffPixels::kRgb : TiffPixels::kRaster;
  layout.samples_needed = 3;
  return tags.samples == 3 && tags.extra.empty() && tags.bits == 8 && tags.fill_order == FILLORDER_MSB2LSB;
}

bool set_pixels(const TiffTags& tags, TiffLayout& layout) {
  const bool grey = tags.photometric == PHOTOMETRIC_MINISWHITE || tags.photometric == PHOTOMETRIC_MINISBLACK;
  if (grey) return set_grey(tags, layout);
  if (tags.sample_format != SAMPLEFORMAT_UINT) return false;
  switch (tags.photometric) {
    case PHOTOMETRIC_RGB:
      return set_rgb(tags, layout);
    case PHOTOMETRIC_PALETTE:
      return set_palette(tags, layout);
    case PHOTOMETRIC_SEPARATED:
      return set_cmyk(tags, layout);
    case PHOTOMETRIC_YCBCR:
      return set_ycbcr(tags, layout);
    default:
      return false;
  }
}

template <class T>
T value_at(const uint8_t* bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

void put_grey(uint8_t value, uint8_t* rgb) { std::fill_n(rgb, 3, value); }

unsigned small_value(const uint8_t* row, size_t index, unsigned bits) {
  const size_t at = index * bits;
  return row[at / 8] >> (8 - bits - at % 8) & ((1U << bits) - 1);
}

unsigned value12(const uint8_t* row, size_t index) {
  const uint8_t* pair = row + index / 2 * 3;
  return index % 2 == 0 ? static_cast<unsigned>(pair[0]) << 4 | pair[1] >> 4 : (pair[1] & 15U) << 8 | pair[2];
}

// As C converts it, where it can: not a number is 0.
uint8_t clipped(float value) {
  if (!(value > 0)) return 0;
  return value >= 255 ? uint8_t{255} : static_cast<uint8_t>(value);
}

uint8_t clipped(int64_t value) { return static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255)); }

// The high byte of a sample, which is all of one of 8 bits.
uint8_t high_byte(const uint8_t* row, size_t index, bool wide) {
  return wide ? static_cast<uint8_t>(value_at<uint16_t>(row, index) >> 8) : row[index];
}

void divide_by_alpha(std::array<uint8_t, 4>& pixel) {
  const unsigned alpha = pixel[3];
  if (alpha == 255) return;
  for (size_t c = 0; c < 3; ++c)
    pixel[c] = alpha == 0 ? uint8_t{0} : static_cast<uint8_t>(std::min(pixel[c] * 255U / alpha, 255U));
}

// Pillow's CMYK to RGB.
void cmyk_to_rgb(std::array<uint8_t, 4>& pixel) {
  const int white = 255 - pixel[3];
  for (size_t c = 0; c < 3; ++c) {
    const int product = pixel[c] * white + 128;
    pixel[c] = static_cast<uint8_t>(std::clamp(white - (((product >> 8) + product) >> 8), 0, 255));
  }
}

}  // namespace

TiffLayout tiff_layout(const TiffTags& tags) {
  // Those that Pillow knows.
  static constexpr std::array<uint16_t, 17> kCompressions = {
      1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000, 50001};
  if (std::find(kCompressions.begin(), kCompressions.end(), tags.compression) == kCompressions.end())
    throw data_error("is a TIFF of compression {}, which is not read", tags.compression);
  if (tags.planar != PLANARCONFIG_CONTIG && tags.planar != PLANARCONFIG_SEPARATE)
    throw data_error("broken TIFF: its planar configuration is {}", tags.planar);
  TiffTags seen = tags;
  // Old JPEGs are YCbCr, whatever their tags say.
  if (tags.compression == COMPRESSION_OJPEG) seen.photometric = PHOTOMETRIC_YCBCR;
  TiffLayout layout;
  layout.bits = tags.bits;
  layout.samples = tags.samples;
  if (!set_pixels(seen, layout)) throw not_read(tags);
  return layout;
}

void tiff_row_to_rgb(const TiffLayout& layout, const uint8_t* row, int first, int count, uint8_t* rgb,
                     Decoding& decoding) {
  const auto bits = static_cast<unsigned>(layout.bits);
  const auto samples = static_cast<size_t>(layout.samples);
  if (layout.pixels == TiffPixels::kRgb && bits == 8 && samples == 3) {  // as they are; the usual ones
    std::memcpy(rgb, row + static_cast<size_t>(first) * 3, static_cast<size_t>(count) * 3);
    return;
  }
  const auto end = static_cast<size_t>(first) + static_cast<size_t>(count);
  for (auto x = static_cast<size_t>(first); x < end; ++x, rgb += 3) {
    switch (layout.pixels) {
      case TiffPixels::kGrey: {
        const unsigned value = small_value(row, x * samples, bits) * 255 / ((1U << bits) - 1);
        put_grey(static_cast<uint8_t>(layout.inverted ? 255 - value : value), rgb);
        break;
      }
      case TiffPixels::kIndex:
        std::copy_n(layout.palette.data() + size_t{3} * small_value(row, x * samples, bits), 3, rgb);
        break;
      case TiffPixels::kGrey12:
        put_grey(decoding.grey16_level(value12(row, x), 12), rgb);
        break;
      case TiffPixels::kGrey16:
        put_grey(decoding.grey16_level(value_at<uint16_t>(row, x)), rgb);
        break;
      case TiffPixels::kSigned16:
        put_grey(clipped(int64_t{value_at<int16_t>(row, x)}), rgb);
        break;
      case TiffPixels::kSigned32:
        put_grey(clipped(int64_t{value_at<int32_t>(row, x)}), rgb);
        break;
      case TiffPixels::kFloat:
        put_grey(clipped(value_at<float>(row, x)), rgb);
        break;
      case TiffPixels::kRgb:
      case TiffPixels::kRgbTimesAlpha:
      case TiffPixels::kCmyk: {
        std::array<uint8_t, 4> pixel{};
        for (size_t c = 0; c < static_cast<size_t>(layout.samples_needed); ++c)
          pixel[c] = high_byte(row, x * samples + c, bits == 16);
        if (layout.pixels == TiffPixels::kRgbTimesAlpha) divide_by_alpha(pixel);
        if (layout.pixels == TiffPixels::kCmyk) cmyk_to_rgb(pixel);
        std::copy_n(pixel.begin(), 3, rgb);
        break;
      }
      case TiffPixels::kRaster:
        std::copy_n(row + x * 4, 3, rgb);
        break;
    }
  }
}

}  // namespace resflow
