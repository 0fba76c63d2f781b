#include "io/images/png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <new>
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

  Decoding* how = nullptr;
  bool no_memory = false, stopped = false;

  std::vector<uint8_t> lines;  // one, or of an interlaced picture all; unused where they are written to `out` at once
  size_t row_bytes = 0;
  bool reading_rows = false;
  bool interlaced = false, direct = false;
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

  static png_voidp allocate(png_structp png, png_alloc_size_t bytes) {
    void* memory = std::malloc(bytes);
    if (memory == nullptr) static_cast<PngDecompressor*>(png_get_mem_ptr(png))->no_memory = true;
    return memory;
  }
  static void release(png_structp, png_voidp memory) { std::free(memory); }

  static void read(png_structp png, png_bytep to, size_t count) {
    auto* self = static_cast<PngDecompressor*>(png_get_io_ptr(png));
    // libpng would inflate whatever follows the last row, for the sake of a warning.
    if (self->reading_rows && self->all_rows_are_read()) png_error(png, kOutOfData);
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
    if (stopped) throw DecodingStopped();
    if (no_memory) throw std::bad_alloc();
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
    no_memory = stopped = reading_rows = false;
    message[0] = '\0';
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
          std::fill_n(to + x * 3, 3, how->grey16_level(static_cast<unsigned>(value[0]) << 8 | value[1]));
        }
        break;
    }
  }

  void store_if_wanted(const uint8_t* from) {
    if (row >= region.top && row < region.top + region.height) store_row(from);
  }

  // Where row y is written to by libpng.
  uint8_t* line(int y) {
    if (direct) return out->row(y - region.top);
    return lines.data() + (interlaced ? static_cast<size_t>(y) * row_bytes : 0);
  }

  static void decode_rows(PngDecompressor& self) {
    const int passes = self.interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1;  // each touches all rows
    for (int pass = 0; pass < passes; ++pass) {
      for (int y = 0; y < self.height(); ++y) {
        png_read_row(self.png, self.line(y), nullptr);
        if (self.how->stop.asked(self.chunks.width)) {
          self.stopped = true;
          png_error(self.png, "stopped");
        }
        if (self.interlaced) continue;
        if (!self.direct) self.store_if_wanted(self.line(y));
        self.row = y + 1;
      }
    }
  }

  int height() const { return static_cast<int>(chunks.height); }

  // After the last row libpng wants to see the end of the compressed data, too. That part may be missing.
  bool all_rows_are_read() const {
    if (interlaced) return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
    return png_get_current_row_number(png) >= chunks.height;
  }

  void open_libpng() {
    close();
    png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, this, leave, ignore_warning, this, allocate, release);
    info = png == nullptr ? nullptr : png_create_info_struct(png);
    if (info == nullptr) throw std::bad_alloc();
  }

  void decode() {
    prepare_start();
    prepare_palette();
    open_libpng();
    if (!guarded(read_header)) fail();
    row_bytes = png_get_rowbytes(png, info);
    interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    direct = pixels == Pixels::kRgb && region == Rect{0, 0, static_cast<int>(chunks.width), height()};
    const size_t line_bytes = direct ? 0 : row_bytes * (interlaced ? chunks.height : 1);
    if (lines.size() < line_bytes) lines.resize(line_bytes);
    if (how->take_truncated) forget_pixels(line_bytes);
    reading_rows = true;
    const bool whole = guarded(decode_rows) || (!stopped && all_rows_are_read());
    reading_rows = false;
    if (!whole && !(how->take_truncated && !stopped && !no_memory && message.data() == std::string_view(kOutOfData)))
      fail();
    how->truncated = !whole;
    close();
    if (interlaced && !direct)
      for (row = 0; row < height(); ++row) store_if_wanted(line(row));
    if (!interlaced && !direct) finish_rows(whole);
  }

  // What a file that ends early does not say is zero, of a palette its first colour.
  void forget_pixels(size_t line_bytes) {
    std::fill_n(lines.begin(), line_bytes, uint8_t{0});
    out->clear();
  }

  // The last row is there even where libpng complained of what follows it.
  void finish_rows(bool whole) {
    if (!whole) std::fill_n(lines.begin(), row_bytes, uint8_t{0});
    for (; row < height(); ++row) store_if_wanted(lines.data());
  }
};

class PngReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    png_.bytes = bytes;
    png_.how = &decoding();
    png_.chunks = read_png_chunks(bytes);
  }
  int width() const override { return static_cast<int>(png_.chunks.width); }
  int height() const override { return static_cast<int>(png_.chunks.height); }

  // Two rows of libpng's, one of them as the file has it, and ours: all of an interlaced picture.
  int64_t working_bytes() const override {
    constexpr std::array<int64_t, 7> kChannels = {1, 1, 3, 1, 2, 1, 4};
    const std::span<const uint8_t> header = png_.chunks.header;
    const int64_t depth = header[8], channels = header[9] < kChannels.size() ? kChannels[header[9]] : 4;
    const int64_t bits = std::max<int64_t>(depth * channels, 24), width = png_.chunks.width;
    const int64_t rows = header[12] != 0 ? png_.chunks.height : 1;
    return width * depth * channels / 8 + width * bits / 8 + 3 * width * rows;
  }
  void give_back() override { give_back_large(png_.lines); }

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
