#include "io/images/png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/png_chunks.h"

namespace resflow {
namespace {

void put_big_endian(uint32_t value, std::vector<uint8_t>& to) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(value >> shift));
}

// Checksums are none of libpng's business here: read_png_chunks has judged them.
void put_chunk_start(const char* name, uint32_t length, std::vector<uint8_t>& to) {
  put_big_endian(length, to);
  to.insert(to.end(), name, name + 4);
}

void put_chunk(const char* name, std::span<const uint8_t> content, std::vector<uint8_t>& to) {
  put_chunk_start(name, static_cast<uint32_t>(content.size()), to);
  to.insert(to.end(), content.begin(), content.end());
  put_big_endian(0, to);
}

// libpng's own words where the compressed pixels end too early.
constexpr const char* kOutOfData = "Not enough image data";

constexpr std::array<uint8_t, 16> kEnd = {0, 0, 0, 0, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0, 0, 0, 0};

enum class Pixels { kRgb, kIndex, kGrey16 };

struct PngDecompressor {
  std::span<const uint8_t> bytes;
  PngChunks chunks;

  // What libpng is given to read: signature, header, palette, all pixels as one chunk, and the end.
  std::vector<uint8_t> start;
  size_t part = 0, within = 0;  // part 0 is `start`, then come those of chunks.pixels, the last is kEnd

  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf jump;
  std::array<char, 256> message{};

  std::vector<uint8_t> lines;
  std::vector<png_bytep> rows;
  std::array<std::array<uint8_t, 3>, 256> palette{};
  Pixels pixels = Pixels::kRgb;
  Rect region;
  Image* out = nullptr;
  int row = 0;

  PngDecompressor() = default;
  ~PngDecompressor() { close(); }
  PngDecompressor(const PngDecompressor&) = delete;
  PngDecompressor& operator=(const PngDecompressor&) = delete;

  void close() { png_destroy_read_struct(&png, &info, nullptr); }

  [[noreturn]] static void leave(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngDecompressor*>(png_get_error_ptr(png));
    std::strncpy(self->message.data(), text, self->message.size() - 1);
    std::longjmp(self->jump, 1);
  }

  static void ignore_warning(png_structp, png_const_charp) {}

  static void read(png_structp png, png_bytep to, size_t count) {
    auto* self = static_cast<PngDecompressor*>(png_get_io_ptr(png));
    while (count > 0) {
      const auto& pieces = self->chunks.pixels;
      if (self->part > pieces.size() + 1) png_error(png, kOutOfData);
      std::span<const uint8_t> from = kEnd;
      if (self->part == 0) from = self->start;
      if (self->part >= 1 && self->part <= pieces.size()) from = pieces[self->part - 1];
      const size_t n = std::min(count, from.size() - self->within);
      std::memcpy(to, from.data() + self->within, n);
      to += n;
      count -= n;
      self->within += n;
      if (self->within == from.size()) {
        ++self->part;
        self->within = 0;
      }
    }
  }

  // Runs `step`, which must own nothing: libpng leaves it by longjmp.
  bool guarded(void (*step)(PngDecompressor&)) {
    if (setjmp(jump) != 0) return false;  // NOLINT(cert-err52-cpp): libpng knows no other way
    step(*this);
    return true;
  }

  [[noreturn]] void fail() {
    close();
    const std::string_view text = message.data();
    if (text == kOutOfData) {
      throw data_error("truncated PNG: its {} bytes end in or before row {} of {}", bytes.size(), row + 1,
                       chunks.height);
    }
    throw data_error("broken PNG: {}", text);
  }

  void prepare_start() {
    static constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    uint64_t pixel_bytes = 0;
    for (const auto& piece : chunks.pixels) pixel_bytes += piece.size();
    if (pixel_bytes > PNG_UINT_31_MAX) throw data_error("{} bytes of PNG are too many", pixel_bytes);
    start.assign(kSignature.begin(), kSignature.end());
    put_chunk("IHDR", chunks.header, start);
    if (!chunks.palette.empty()) put_chunk("PLTE", chunks.palette, start);
    put_chunk_start("IDAT", static_cast<uint32_t>(pixel_bytes), start);
    part = within = 0;
    row = 0;
  }

  // Indices past the palette are greys, as in Pillow's.
  void prepare_palette() {
    for (size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<uint8_t>(i));
    for (size_t i = 0; i < std::min<size_t>(chunks.palette.size() / 3, palette.size()); ++i)
      std::copy_n(chunks.palette.data() + i * 3, 3, palette[i].begin());
  }

  static void read_header(PngDecompressor& self) {
    png_set_read_fn(self.png, &self, read);
    png_set_user_limits(self.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_crc_action(self.png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_read_info(self.png, self.info);
    const int depth = png_get_bit_depth(self.png, self.info), colour = png_get_color_type(self.png, self.info);
    self.pixels = Pixels::kRgb;
    if (colour == PNG_COLOR_TYPE_PALETTE) {
      self.pixels = Pixels::kIndex;
      png_set_packing(self.png);
    } else if (colour == PNG_COLOR_TYPE_GRAY && depth == 16) {
      self.pixels = Pixels::kGrey16;
    } else {
      if (depth == 16) png_set_strip_16(self.png);
      if (depth < 8) png_set_expand_gray_1_2_4_to_8(self.png);
      if ((colour & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(self.png);
      if ((colour & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(self.png);
    }
    png_set_interlace_handling(self.png);
    png_read_update_info(self.png, self.info);
  }

  void store_row(const uint8_t* from) {
    uint8_t* to = out->row(row - region.top);
    const auto left = static_cast<size_t>(region.left), width = static_cast<size_t>(region.width);
    switch (pixels) {
      case Pixels::kRgb:
        std::memcpy(to, from + left * 3, width * 3);
        break;
      case Pixels::kIndex:
        for (size_t x = 0; x < width; ++x) std::copy_n(palette[from[left + x]].begin(), 3, to + x * 3);
        break;
      case Pixels::kGrey16:
        for (size_t x = 0; x < width; ++x) {
          const uint8_t* value = from + (left + x) * 2;
          std::fill_n(to + x * 3, 3, value[0] != 0 ? uint8_t{255} : value[1]);
        }
        break;
    }
  }

  void store_if_wanted(const uint8_t* from) {
    if (row >= region.top && row < region.top + region.height) store_row(from);
  }

  static void decode_rows(PngDecompressor& self) {
    if (self.is_interlaced()) {  // each pass touches all rows
      png_read_image(self.png, self.rows.data());
      return;
    }
    for (; self.row < self.height(); ++self.row) {
      png_read_row(self.png, self.lines.data(), nullptr);
      self.store_if_wanted(self.lines.data());
    }
  }

  bool is_interlaced() const { return !rows.empty(); }
  int height() const { return static_cast<int>(chunks.height); }

  // After the last row libpng wants to see the end of the compressed data, too. That part may be missing.
  bool all_rows_are_read() const {
    if (is_interlaced()) return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
    return png_get_current_row_number(png) >= chunks.height;
  }

  void decode() {
    close();
    prepare_start();
    prepare_palette();
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, leave, ignore_warning);
    info = png == nullptr ? nullptr : png_create_info_struct(png);
    if (info == nullptr) throw system_error("libpng does not start: no memory");
    if (!guarded(read_header)) fail();
    const size_t row_bytes = png_get_rowbytes(png, info);
    const bool interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    const size_t line_count = interlaced ? chunks.height : 1;
    if (lines.size() < row_bytes * line_count) lines.resize(row_bytes * line_count);
    rows.clear();
    for (size_t y = 0; interlaced && y < line_count; ++y) rows.push_back(lines.data() + y * row_bytes);
    if (!guarded(decode_rows) && !all_rows_are_read()) fail();
    for (; row < height(); ++row) store_if_wanted(is_interlaced() ? rows[static_cast<size_t>(row)] : lines.data());
    close();
  }
};

class PngReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    png_.bytes = bytes;
    png_.chunks = read_png_chunks(bytes);
  }
  int width() const override { return static_cast<int>(png_.chunks.width); }
  int height() const override { return static_cast<int>(png_.chunks.height); }

  void decode(const Rect& region, Image& out) override {
    out.resize(region.width, region.height);
    png_.region = region;
    png_.out = &out;
    png_.decode();
  }

 private:
  PngDecompressor png_;
};

}  // namespace

bool is_png(std::span<const uint8_t> bytes) { return begins_with(bytes, "\x89PNG\r\n\x1A\n"); }

std::unique_ptr<ImageReader> make_png_reader() { return std::make_unique<PngReader>(); }

}  // namespace resflow
