#include "io/images/bmp.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/bmp_header.h"

namespace resflow {
namespace {

// Takes a run-length encoded picture apart: an index a pixel, the lowest row first.
class RleReader {
 public:
  RleReader(std::span<const uint8_t> bytes, const BmpHeader& bmp)
      : bytes_(bytes), at_(std::min<uint64_t>(bmp.offset, bytes.size())), bmp_(bmp) {}

  // False where the data end before the last pixel.
  bool read(std::vector<uint8_t>& indices) {
    const size_t all = static_cast<size_t>(bmp_.width) * bmp_.height;
    indices.clear();
    while (indices.size() < all && step(all, indices)) {
    }
    return indices.size() >= all;
  }

 private:
  // A run, an escape or a stretch of single pixels. False at the end of the picture or of the file.
  bool step(size_t all, std::vector<uint8_t>& indices) {
    if (left() < 2) return false;
    const size_t count = bytes_[at_];
    const uint8_t value = bytes_[at_ + 1];
    at_ += 2;
    if (count > 0) {
      put_run(count, value, indices);
    } else if (value == 0) {
      const size_t over = indices.size() % bmp_.width;
      if (over != 0 || column_ == 0) indices.insert(indices.end(), bmp_.width - over, 0);
      column_ = 0;
    } else if (value == 1) {
      return false;
    } else if (value == 2) {
      if (left() < 2) return false;
      const uint64_t skipped = bytes_[at_] + uint64_t{bytes_[at_ + 1]} * bmp_.width;
      at_ += 2;
      indices.insert(indices.end(), static_cast<size_t>(std::min<uint64_t>(skipped, all - indices.size())), 0);
      column_ = indices.size() % bmp_.width;
    } else {
      return put_singles(value, indices);
    }
    return true;
  }

  // A run ends with its row, even where the data go on.
  void put_run(size_t count, uint8_t value, std::vector<uint8_t>& indices) {
    if (column_ + count > bmp_.width) count = bmp_.width - std::min<size_t>(column_, bmp_.width);
    if (bmp_.pixels == BmpPixels::kRle8) {
      indices.insert(indices.end(), count, value);
    } else {
      for (size_t i = 0; i < count; ++i) indices.push_back(i % 2 == 0 ? value >> 4 : value & 15);
    }
    column_ += count;
  }

  bool put_singles(size_t count, std::vector<uint8_t>& indices) {
    const bool halves = bmp_.pixels == BmpPixels::kRle4;
    const size_t wanted = halves ? count / 2 : count;
    const auto content = bytes_.subspan(at_, std::min(wanted, left()));
    at_ += content.size();
    for (const uint8_t value : content) {
      if (halves) indices.push_back(value >> 4);
      indices.push_back(halves ? value & 15 : value);
    }
    if (content.size() < wanted) return false;
    column_ += count;
    if (at_ % 2 != 0) at_ = std::min(at_ + 1, bytes_.size());
    return true;
  }

  size_t left() const { return bytes_.size() - at_; }

  std::span<const uint8_t> bytes_;
  size_t at_;
  const BmpHeader& bmp_;
  size_t column_ = 0;
};

uint8_t scaled(uint32_t value, uint32_t max) { return static_cast<uint8_t>(value * 255 / max); }

class BmpReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    bytes_ = bytes;
    bmp_ = read_bmp_header(bytes);
  }
  int width() const override { return static_cast<int>(bmp_.width); }
  int height() const override { return static_cast<int>(bmp_.height); }

  // An index a pixel, which grows by doubling.
  int64_t working_bytes() const override { return encoded() ? int64_t{2} * bmp_.width * bmp_.height : 0; }
  void give_back() override { give_back_large(indices_); }

  void decode(const Rect& region, Image& out) override {
    const bool encoded = this->encoded();
    if (encoded && !RleReader(bytes_, bmp_).read(indices_)) {
      throw data_error("truncated BMP: its {} bytes end in or before row {} of {}", bytes_.size(),
                       indices_.size() / bmp_.width + 1, bmp_.height);
    }
    // The last row in the file may end with its pixels, without padding.
    const uint64_t end = bmp_.offset + bmp_.stride * (bmp_.height - 1) + bmp_.row_bytes;
    const bool cut = !encoded && end > bytes_.size();
    decoding().truncated = cut;
    if (cut && !decoding().take_truncated) {
      throw data_error("truncated BMP: its {} bytes end {} before the last pixel", bytes_.size(), end - bytes_.size());
    }
    out.resize(region.width, region.height);
    for (int y = 0; y < region.height; ++y) {
      const auto row = static_cast<uint64_t>(region.top) + static_cast<uint64_t>(y);
      const uint64_t in_file = bmp_.top_down ? row : bmp_.height - 1 - row;
      decoding().stop.check(static_cast<size_t>(region.width));
      if (encoded)
        look_up_bytes(indices_.data() + in_file * bmp_.width + region.left, region.width, out.row(y));
      else if (cut && bmp_.offset + in_file * bmp_.stride + bmp_.row_bytes > bytes_.size())
        store_nothing(region.width, out.row(y));
      else
        store_row(bytes_.data() + bmp_.offset + in_file * bmp_.stride, region, out.row(y));
    }
  }

 private:
  bool encoded() const { return bmp_.pixels == BmpPixels::kRle4 || bmp_.pixels == BmpPixels::kRle8; }

  void look_up(uint8_t index, uint8_t* to) const { std::copy_n(bmp_.palette[index].begin(), 3, to); }

  void look_up_bytes(const uint8_t* from, int count, uint8_t* to) const {
    for (int x = 0; x < count; ++x) look_up(from[x], to + x * 3);
  }

  // A row that the file does not reach: black, or the first colour.
  void store_nothing(int width, uint8_t* to) const {
    const bool indexed =
        bmp_.pixels == BmpPixels::kIndex1 || bmp_.pixels == BmpPixels::kIndex4 || bmp_.pixels == BmpPixels::kIndex8;
    for (int x = 0; x < width; ++x) {
      if (indexed)
        look_up(0, to + x * 3);
      else
        std::fill_n(to + x * 3, 3, uint8_t{0});
    }
  }

  void store_row(const uint8_t* row, const Rect& region, uint8_t* to) const {
    const auto left = static_cast<size_t>(region.left), count = static_cast<size_t>(region.width);
    switch (bmp_.pixels) {
      case BmpPixels::kIndex1:
        for (size_t x = left; x < left + count; ++x, to += 3) look_up(row[x / 8] >> (7 - x % 8) & 1, to);
        break;
      case BmpPixels::kIndex4:
        for (size_t x = left; x < left + count; ++x, to += 3)
          look_up(x % 2 == 0 ? row[x / 2] >> 4 : row[x / 2] & 15, to);
        break;
      case BmpPixels::kIndex8:
        look_up_bytes(row + left, region.width, to);
        break;
      case BmpPixels::kRgb555:
      case BmpPixels::kRgb565: {
        const uint32_t green_bits = bmp_.pixels == BmpPixels::kRgb565 ? 6 : 5, green_max = (1U << green_bits) - 1;
        for (size_t x = left; x < left + count; ++x, to += 3) {
          const uint32_t pixel = row[x * 2] | static_cast<uint32_t>(row[x * 2 + 1]) << 8;
          to[0] = scaled(pixel >> (5 + green_bits) & 31, 31);
          to[1] = scaled(pixel >> 5 & green_max, green_max);
          to[2] = scaled(pixel & 31, 31);
        }
        break;
      }
      case BmpPixels::kBytes: {
        const uint8_t* pixel = row + left * bmp_.bytes_per_pixel;
        for (size_t x = 0; x < count; ++x, pixel += bmp_.bytes_per_pixel, to += 3) {
          to[0] = pixel[bmp_.red];
          to[1] = pixel[bmp_.green];
          to[2] = pixel[bmp_.blue];
        }
        break;
      }
      case BmpPixels::kRle4:
      case BmpPixels::kRle8:
        break;  // their indices are looked up
    }
  }

  std::span<const uint8_t> bytes_;
  BmpHeader bmp_;
  std::vector<uint8_t> indices_;
};

// The four bytes at 6 are zero in nearly every BMP; where they are not, the header's length tells.
bool has_bmp_header(std::span<const uint8_t> bytes) {
  using namespace std::string_view_literals;
  constexpr std::array kLengths = {"\x0C\0\0\0"sv, "\x28\0\0\0"sv, "\x34\0\0\0"sv, "\x38\0\0\0"sv,
                                   "\x40\0\0\0"sv, "\x6C\0\0\0"sv, "\x7C\0\0\0"sv};
  return std::any_of(kLengths.begin(), kLengths.end(), [&](auto length) { return begins_with(bytes, length, 14); });
}

}  // namespace

// Two letters alone would take texts for a BMP.
bool is_bmp(std::span<const uint8_t> bytes) {
  using namespace std::string_view_literals;
  return begins_with(bytes, "BM") && (begins_with(bytes, "\0\0\0\0"sv, 6) || has_bmp_header(bytes));
}

std::unique_ptr<ImageReader> make_bmp_reader() { return std::make_unique<BmpReader>(); }

}  // namespace resflow
