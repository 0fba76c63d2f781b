#include "io/images/pnm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr size_t kMaxDigits = 10;  // of a number, as in Pillow

bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Characters of a file without its comments: from # to the end of the line, which belongs to it.
class Characters {
 public:
  Characters(std::span<const uint8_t> bytes, size_t at) : bytes_(bytes), at_(at) {}

  // -1 at the end.
  int next() {
    while (at_ < bytes_.size()) {
      const uint8_t c = bytes_[at_++];
      if (c != '#') return c;
      while (at_ < bytes_.size() && bytes_[at_] != '\n' && bytes_[at_] != '\r') ++at_;
      if (at_ < bytes_.size()) ++at_;
    }
    return -1;
  }

  // A number, and the one white space after it. False where the file ends before it.
  bool number(uint64_t& value) {
    int c = next();
    while (c >= 0 && is_space(static_cast<uint8_t>(c))) c = next();
    if (c < 0) return false;
    value = 0;
    for (size_t digits = 0; c >= 0 && !is_space(static_cast<uint8_t>(c)); c = next(), ++digits) {
      if (c < '0' || c > '9') throw data_error("broken PNM: {:#04x} before byte {} is no digit", c, at_);
      if (digits == kMaxDigits)
        throw data_error("broken PNM: a number of more than {} digits before byte {}", kMaxDigits, at_);
      value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    return true;
  }

  size_t at() const { return at_; }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_;
};

struct Header {
  bool plain = false;
  int channels = 1, bytes_per_value = 0;  // bytes 0: a bit
  uint64_t width = 0, height = 0, max = 1;
  size_t pixels_at = 0;

  uint64_t row_bytes() const {  // of a binary file
    const uint64_t values = width * static_cast<uint64_t>(channels);
    return bytes_per_value == 0 ? (values + 7) / 8 : values * static_cast<uint64_t>(bytes_per_value);
  }
};

Header read_header(std::span<const uint8_t> bytes) {
  if (bytes.size() < 3 || bytes[1] > '6') throw data_error("is a PAM (P7), wanted P1 to P6 of the PNM files");
  Header header;
  const int kind = bytes[1] - '0';
  header.plain = kind <= 3;
  header.channels = kind % 3 == 0 ? 3 : 1;
  const bool is_bitmap = kind % 3 == 1;
  Characters text(bytes, 3);
  const auto read = [&](uint64_t& value) {
    if (!text.number(value)) throw data_error("truncated PNM: its {} bytes end within the header", bytes.size());
  };
  read(header.width);
  read(header.height);
  if (!is_bitmap) read(header.max);
  if (header.width == 0 || header.height == 0 || header.width > INT32_MAX || header.height > INT32_MAX)
    throw data_error("broken PNM: its header says {}x{} pixels", header.width, header.height);
  if (header.max < 1 || header.max > 65535)
    throw data_error("broken PNM: its header says a maximum of {}, wanted 1 to 65535", header.max);
  header.bytes_per_value = is_bitmap ? 0 : header.max < 256 ? 1 : 2;
  header.pixels_at = text.at();
  return header;
}

class PnmReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    bytes_ = bytes;
    header_ = read_header(bytes);
  }
  int width() const override { return static_cast<int>(header_.width); }
  int height() const override { return static_cast<int>(header_.height); }

  void decode(const Rect& region, Image& out) override {
    check_length();
    prepare_levels();
    out.resize(region.width, region.height);
    if (header_.plain)
      read_plain(region, out);
    else
      read_binary(region, out);
  }

 private:
  // Before anything is allocated for it. A plain value takes two bytes, the last of them and a bit one.
  void check_length() {
    const uint64_t there = bytes_.size() - header_.pixels_at;
    const uint64_t values = header_.width * header_.height * static_cast<uint64_t>(header_.channels);
    uint64_t wanted = header_.row_bytes() * header_.height;
    if (header_.plain) wanted = header_.bytes_per_value == 0 ? values : values * 2 - 1;
    decoding().truncated = there < wanted;
    if (there < wanted && !(decoding().take_truncated && is_raw())) {
      throw data_error("truncated PNM: {} bytes of pixels, wanted {}{}", there, header_.plain ? "at least " : "",
                       wanted);
    }
  }

  // Whether Pillow takes the rows as they are: it takes others only if they are whole.
  bool is_raw() const {
    const uint64_t full = header_.channels == 1 && header_.bytes_per_value == 2 ? 65535 : 255;
    return !header_.plain && (header_.bytes_per_value == 0 || header_.max == full);
  }

  // What a value of the file is in the picture. Values above the maximum stand in binary files alone.
  void prepare_levels() {
    if (header_.bytes_per_value == 0) {
      levels_.assign({255, 0});
      return;
    }
    levels_.resize(header_.bytes_per_value == 1 ? 256 : 65536);
    clipped_.assign(header_.channels == 1 && header_.bytes_per_value == 2 ? levels_.size() : 0, false);
    const bool is_wide_grey = header_.channels == 1 && header_.bytes_per_value == 2;
    const double full = is_wide_grey ? 65535 : 255;
    const bool scale = is_wide_grey && decoding().scale_grey16;
    for (size_t value = 0; value < levels_.size(); ++value) {
      // Rounds halves to even, as Python does.
      const double level = std::nearbyint(static_cast<double>(value) / static_cast<double>(header_.max) * full);
      levels_[value] = static_cast<uint8_t>(std::min(scale ? std::floor(level / 256) : level, 255.0));
      if (is_wide_grey) clipped_[value] = level > 255;
    }
  }

  void read_binary(const Rect& region, Image& out) {
    const auto left = static_cast<size_t>(region.left), width = static_cast<size_t>(region.width);
    const auto channels = static_cast<size_t>(header_.channels);
    for (int y = 0; y < region.height; ++y) {
      const auto row_number = static_cast<uint64_t>(region.top) + static_cast<uint64_t>(y);
      const uint8_t* row = bytes_.data() + header_.pixels_at + header_.row_bytes() * row_number;
      uint8_t* to = out.row(y);
      decoding().stop.check(static_cast<size_t>(region.width));
      if (header_.pixels_at + header_.row_bytes() * (row_number + 1) > bytes_.size()) {  // it was cut off before
        std::fill_n(to, out.row_bytes(), uint8_t{0});
        continue;
      }
      for (size_t i = left * channels; i < (left + width) * channels; ++i) {
        size_t value = 0;
        if (header_.bytes_per_value == 0)
          value = row[i / 8] >> (7 - i % 8) & 1;
        else if (header_.bytes_per_value == 1)
          value = row[i];
        else
          value = static_cast<size_t>(row[i * 2]) << 8 | row[i * 2 + 1];
        count_grey16(value);
        to = put(levels_[value], to);
      }
    }
  }

  void count_grey16(size_t value) {
    if (clipped_.empty()) return;
    ++decoding().grey16;
    decoding().clipped += clipped_[value] ? 1 : 0;
  }

  void read_plain(const Rect& region, Image& out) {
    Characters text(bytes_, header_.pixels_at);
    for (int y = 0; y < height(); ++y) {
      const bool row_is_wanted = y >= region.top && y < region.top + region.height;
      uint8_t* to = row_is_wanted ? out.row(y - region.top) : nullptr;
      decoding().stop.check(static_cast<size_t>(width()));
      for (int x = 0; x < width(); ++x) {
        const bool is_wanted = row_is_wanted && x >= region.left && x < region.left + region.width;
        for (int c = 0; c < header_.channels; ++c) {
          const size_t value = plain_value(text, y);
          if (!is_wanted) continue;
          count_grey16(value);
          to = put(levels_[value], to);
        }
      }
    }
  }

  size_t plain_value(Characters& text, int row) const {
    const auto ended = [&] {
      return data_error("truncated PNM: its {} bytes end in row {} of {}", bytes_.size(), row + 1, height());
    };
    uint64_t value = 0;
    if (header_.bytes_per_value == 0) {  // no space need stand between bits
      int c = text.next();
      while (c >= 0 && is_space(static_cast<uint8_t>(c))) c = text.next();
      if (c < 0) throw ended();
      if (c != '0' && c != '1') throw data_error("broken PNM: {:#04x} before byte {} is no 0 or 1", c, text.at());
      return static_cast<size_t>(c - '0');
    }
    if (!text.number(value)) throw ended();
    if (value > header_.max)
      throw data_error("broken PNM: {} before byte {} is above its maximum {}", value, text.at(), header_.max);
    return static_cast<size_t>(value);
  }

  uint8_t* put(uint8_t level, uint8_t* to) const {
    *to++ = level;
    if (header_.channels == 3) return to;
    *to++ = level;
    *to++ = level;
    return to;
  }

  std::span<const uint8_t> bytes_;
  Header header_;
  std::vector<uint8_t> levels_;  // [values of a sample]
  std::vector<bool> clipped_;    // the same of 16-bit grey: above 255 in 16 bits
};

}  // namespace

bool is_pnm(std::span<const uint8_t> bytes) {
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         (bytes[2] == ' ' || (bytes[2] >= '\t' && bytes[2] <= '\r'));
}

std::unique_ptr<ImageReader> make_pnm_reader() { return std::make_unique<PnmReader>(); }

}  // namespace resflow
