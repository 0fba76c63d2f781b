#include "io/images/tiff.h"

#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/memory_share.h"
#include "io/images/tiff_pixels.h"

namespace resflow {
namespace {

// Tiles may be larger than the picture, within reason: each is allocated and decoded whole. So many pixels of all tiles
// together need no picture for them, and a single tile may have so many bytes.
constexpr uint64_t kMaxSparePixels = uint64_t{1} << 24;
constexpr uint64_t kMaxTileBytes = uint64_t{256} << 20;
// Strips or tiles: each costs time, however small it is.
constexpr uint64_t kMaxParts = 1'000'000;
constexpr tmsize_t kMaxAllocation = tmsize_t{1} << 30;

// A file in memory, as libtiff wants to see one, and what it complained of first.
struct Source {
  std::span<const uint8_t> bytes;
  uint64_t at = 0;
  std::array<char, 256> message{};
  bool no_memory = false;  // when it complained first

  static Source& of(thandle_t handle) { return *static_cast<Source*>(handle); }

  static tmsize_t read(thandle_t handle, void* to, tmsize_t count) {
    Source& self = of(handle);
    if (count <= 0 || self.at >= self.bytes.size()) return 0;
    const uint64_t there = std::min<uint64_t>(static_cast<uint64_t>(count), self.bytes.size() - self.at);
    std::memcpy(to, self.bytes.data() + self.at, there);
    self.at += there;
    return static_cast<tmsize_t>(there);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    Source& self = of(handle);
    self.at = whence == SEEK_SET ? offset : (whence == SEEK_CUR ? self.at : self.bytes.size()) + offset;
    return self.at;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return of(handle).bytes.size(); }
  static int map(thandle_t handle, void** base, toff_t* size) {
    *base = const_cast<uint8_t*>(of(handle).bytes.data());  // read only
    *size = of(handle).bytes.size();
    return 1;
  }
  static void unmap(thandle_t, void*, toff_t) {}

  // Returning 1, they keep libtiff from printing.
  static int keep_error(TIFF*, void* user, const char*, const char* format, va_list values) {
    Source& self = *static_cast<Source*>(user);
    if (self.message[0] != '\0') return 1;
    const bool shortage = errno == ENOMEM;  // a sign that malloc also leaves where it then finds memory elsewhere
    std::vsnprintf(self.message.data(), self.message.size(), format, values);
    const std::string_view text = self.message.data();
    for (const std::string_view sign : {"emory", "alloc", "No space"})
      self.no_memory = self.no_memory || (shortage && text.find(sign) != std::string_view::npos);
    return 1;
  }
  static int drop_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }
};

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

uint16_t short_tag(TIFF* tiff, uint32_t tag, uint16_t otherwise) {
  uint16_t value = otherwise;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

uint32_t long_tag(TIFF* tiff, uint32_t tag, uint32_t otherwise) {
  uint32_t value = otherwise;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

TiffTags read_tags(TIFF* tiff) {
  TiffTags tags = {.big_endian = TIFFIsBigEndian(tiff) != 0,
                   .compression = short_tag(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE),
                   .photometric = short_tag(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE),
                   .planar = short_tag(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG),
                   .fill_order = short_tag(tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB),
                   .bits = short_tag(tiff, TIFFTAG_BITSPERSAMPLE, 1),
                   .samples = short_tag(tiff, TIFFTAG_SAMPLESPERPIXEL, 1),
                   .sample_format = short_tag(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT)};
  uint16_t count = 0;
  uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1) tags.extra.assign(kinds, kinds + count);
  return tags;
}

class TiffReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    tiff_.reset();  // before its source becomes another
    source_ = {.bytes = bytes};
    start();
  }
  int width() const override { return width_; }
  int height() const override { return height_; }

  // A strip or a tile, and of planes apart the region's samples together; libtiff's own way takes RGBA besides.
  int64_t working_bytes() const override {
    const int64_t pixels = int64_t{width_} * height_;
    const int64_t pixel_bits = int64_t{layout_.bits} * (planes_apart_ ? 1 : layout_.samples);
    int64_t rows = tile_height_, part = int64_t{tile_width_} * tile_height_;
    if (tile_height_ == 0) {
      rows = std::min<int64_t>(rows_of_strip_, height_);
      part = int64_t{width_} * rows;
    }
    int64_t bytes = part * pixel_bits / 8;
    if (planes_apart_) bytes += pixels * layout_.samples_needed * layout_.bits / 8;
    if (layout_.pixels == TiffPixels::kRaster) bytes += int64_t{width_} * rows * 4;
    return bytes;
  }
  void give_back() override {
    give_back_large(buffer_);
    give_back_large(together_);
    give_back_large(raster_);
  }

  void decode(const Rect& region, Image& out) override {
    if (!tiff_) start();
    // A second decoding opens the file anew: libtiff's decoders keep what damaged strips and tiles left in them (tables
    // of libjpeg, for one), and would begin with that.
    const auto close = [](TiffReader* self) { self->tiff_.reset(); };
    const std::unique_ptr<TiffReader, decltype(close)> closed_at_the_end(this, close);
    decode_opened(region, out);
  }

 private:
  [[noreturn]] void fail() const {
    const char* reason = source_.message.data();
    if (source_.no_memory || (reason[0] == '\0' && shortage_.seen())) throw std::bad_alloc();
    throw data_error("broken TIFF: {}", reason[0] != '\0' ? reason : "its pixels are damaged");
  }

  void forget_complaints() {
    source_.message[0] = '\0';
    source_.no_memory = false;
    shortage_ = ShortageWatch();
  }

  void start() {
    source_.at = 0;
    forget_complaints();
    const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
    if (!options) throw std::bad_alloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMaxAllocation);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Source::keep_error, &source_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Source::drop_warning, &source_);
    tiff_.reset(TIFFClientOpenExt("TIFF", "r", &source_, Source::read, Source::write, Source::seek, Source::close,
                                  Source::size, Source::map, Source::unmap, options.get()));
    if (!tiff_) fail();
    const uint32_t width = long_tag(tiff_.get(), TIFFTAG_IMAGEWIDTH, 0);
    const uint32_t height = long_tag(tiff_.get(), TIFFTAG_IMAGELENGTH, 0);
    if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX)
      throw data_error("broken TIFF: its header says {}x{} pixels", width, height);
    width_ = static_cast<int>(width);
    height_ = static_cast<int>(height);
    const TiffTags tags = read_tags(tiff_.get());
    layout_ = tiff_layout(tags);
    planes_apart_ = tags.planar == PLANARCONFIG_SEPARATE && tags.samples > 1;
    if (tags.photometric == PHOTOMETRIC_YCBCR && layout_.pixels == TiffPixels::kRgb)
      TIFFSetField(tiff_.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (layout_.pixels == TiffPixels::kIndex) read_palette();
    check_parts();
  }

  void read_palette() {
    uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
    if (TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, &red, &green, &blue) != 1)
      throw data_error("broken TIFF: it has no palette");
    layout_.palette.clear();
    for (size_t i = 0; i < size_t{1} << layout_.bits; ++i) {
      for (const uint16_t* channel : {red, green, blue})
        layout_.palette.push_back(static_cast<uint8_t>(channel[i] >> 8));
    }
  }

  // Before anything is allocated or decoded: what the parts of the picture are must be in proportion to it.
  void check_parts() {
    const uint64_t width = static_cast<uint64_t>(width_), height = static_cast<uint64_t>(height_);
    const bool tiled = TIFFIsTiled(tiff_.get()) != 0;
    uint64_t pixels = width * height;  // of all parts
    tile_width_ = tile_height_ = 0;
    rows_of_strip_ = std::max(long_tag(tiff_.get(), TIFFTAG_ROWSPERSTRIP, UINT32_MAX), 1U);
    if (tiled) {
      tile_width_ = long_tag(tiff_.get(), TIFFTAG_TILEWIDTH, 0);
      tile_height_ = long_tag(tiff_.get(), TIFFTAG_TILELENGTH, 0);
      // Neither of them nor their numbers are above 2^32: no product of two overflows.
      const uint64_t wide = tile_width_, high = tile_height_;
      const uint64_t tiles = wide == 0 || high == 0 ? 0 : ((width + wide - 1) / wide) * ((height + high - 1) / high);
      const uint64_t most = 4 * pixels + kMaxSparePixels, area = wide * high;
      const auto bytes = static_cast<uint64_t>(std::max<tmsize_t>(TIFFTileSize(tiff_.get()), 0));
      if (tiles == 0 || area > most / tiles || bytes > kMaxTileBytes)
        throw data_error("broken TIFF: its header says {}x{} pixels in tiles of {}x{}", width_, height_, tile_width_,
                         tile_height_);
      pixels = area * tiles;
    }
    const uint32_t parts = tiled ? TIFFNumberOfTiles(tiff_.get()) : TIFFNumberOfStrips(tiff_.get());
    if (parts > kMaxParts)
      throw data_error("broken TIFF: its {}x{} pixels are in {} {}, wanted at most {}", width_, height_, parts,
                       tiled ? "tiles" : "strips", kMaxParts);
    // Parts may share their bytes, but not so that a small file becomes a huge one.
    const uint64_t raw =
        pixels * (static_cast<uint64_t>(layout_.samples) * static_cast<uint64_t>(layout_.bits) + 7) / 8;
    const uint64_t most = 4 * (raw + source_.bytes.size());
    uint64_t bytes = 0;
    for (uint32_t part = 0; part < parts && bytes <= most; ++part)
      bytes += std::min(TIFFGetStrileByteCount(tiff_.get(), part), uint64_t{source_.bytes.size()});
    if (bytes > most)
      throw data_error("broken TIFF: its {} say that they have {} bytes and more together, of a file of {}",
                       tiled ? "tiles" : "strips", bytes, source_.bytes.size());
  }

  void decode_opened(const Rect& region, Image& out) {
    forget_complaints();
    out.resize(region.width, region.height);
    if (layout_.pixels == TiffPixels::kRaster)
      decode_raster(region, out);
    else if (planes_apart_)
      decode_planes(region, out);
    else
      read_samples(0, [&](const uint8_t* row, int x, int y, int count) { store(row, x, y, count, region, out); });
  }

  // Gives `count` pixels from (x, y) on to `out`, as far as they lie within the region.
  void store(const uint8_t* row, int x, int y, int count, const Rect& region, Image& out) {
    const int first = std::max(x, region.left), end = std::min(x + count, region.left + region.width);
    if (y < region.top || y >= region.top + region.height || first >= end) return;
    tiff_row_to_rgb(layout_, row, first - x, end - first,
                    out.row(y - region.top) + ptrdiff_t{3} * (first - region.left), decoding());
  }

  // Bytes of `pixels` in a row, as they must be for tiff_row_to_rgb.
  size_t row_bytes(uint32_t pixels) const {
    const auto samples = static_cast<uint64_t>(planes_apart_ ? 1 : layout_.samples);
    return static_cast<size_t>((pixels * samples * static_cast<uint64_t>(layout_.bits) + 7) / 8);
  }

  // Before each strip or tile: of data that hold more libtiff takes what fits, and may leave the end of the buffer as
  // it was, with samples of another one or of another picture.
  void forget_samples() { std::fill(buffer_.begin(), buffer_.end(), uint8_t{0}); }

  // Calls take(row, x, y, count) for all of the picture, or of one of its planes.
  template <class Take>
  void read_samples(uint16_t plane, Take take) {
    if (TIFFIsTiled(tiff_.get()) == 0)
      read_strips(plane, take);
    else
      read_tiles(plane, take);
  }

  // Strip by strip and not row by row: of damaged data that comes to other pixels.
  template <class Take>
  void read_strips(uint16_t plane, Take take) {
    const auto height = static_cast<uint32_t>(height_);
    const uint32_t rows = std::clamp(long_tag(tiff_.get(), TIFFTAG_ROWSPERSTRIP, height), 1U, height);
    const size_t line_bytes = row_bytes(static_cast<uint32_t>(width_));
    const tmsize_t strip_bytes = TIFFVStripSize(tiff_.get(), rows);
    if (strip_bytes <= 0 || static_cast<uint64_t>(strip_bytes) < uint64_t{line_bytes} * rows)
      throw data_error("broken TIFF: strips of {} bytes, wanted {}", strip_bytes, uint64_t{line_bytes} * rows);
    if (strip_bytes > kLargeBytes && reads_lines(line_bytes)) {
      read_lines(plane, line_bytes, take);
      return;
    }
    buffer_.resize(static_cast<size_t>(strip_bytes));
    for (uint32_t top = 0; top < height; top += std::min(rows, height - top)) {
      const uint32_t strip = TIFFComputeStrip(tiff_.get(), top, plane);
      forget_samples();
      if (TIFFReadEncodedStrip(tiff_.get(), strip, buffer_.data(), strip_bytes) < 0) fail();
      decoding().stop.check(static_cast<size_t>(width_) * std::min(rows, height - top));
      for (uint32_t y = 0; y < std::min(rows, height - top); ++y)
        take(buffer_.data() + y * line_bytes, 0, static_cast<int>(top + y), width_);
    }
  }

  // Whether the rows of a strip can be had one after another.
  bool reads_lines(size_t line_bytes) const {
    const uint16_t compression = short_tag(tiff_.get(), TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    constexpr std::array<uint16_t, 8> kByLines = {COMPRESSION_NONE,    COMPRESSION_LZW,           COMPRESSION_JPEG,
                                                  COMPRESSION_DEFLATE, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS,
                                                  COMPRESSION_LZMA,    COMPRESSION_ZSTD};
    return std::find(kByLines.begin(), kByLines.end(), compression) != kByLines.end() &&
           TIFFScanlineSize(tiff_.get()) == static_cast<tmsize_t>(line_bytes);
  }

  // A huge strip row by row: so it needs no memory, and can be stopped.
  template <class Take>
  void read_lines(uint16_t plane, size_t line_bytes, Take take) {
    buffer_.resize(line_bytes);
    for (int y = 0; y < height_; ++y) {
      if (TIFFReadScanline(tiff_.get(), buffer_.data(), static_cast<uint32_t>(y), plane) < 0) fail();
      decoding().stop.check(static_cast<size_t>(width_));
      take(buffer_.data(), 0, y, width_);
    }
  }

  template <class Take>
  void read_tiles(uint16_t plane, Take take) {
    const tmsize_t tile_bytes = TIFFTileSize(tiff_.get());
    const size_t line_bytes = row_bytes(tile_width_);
    if (tile_bytes <= 0 || static_cast<uint64_t>(tile_bytes) < uint64_t{line_bytes} * tile_height_)
      throw data_error("broken TIFF: tiles of {} bytes, wanted {}", tile_bytes, uint64_t{line_bytes} * tile_height_);
    buffer_.resize(static_cast<size_t>(tile_bytes));
    const auto width = static_cast<uint32_t>(width_), height = static_cast<uint32_t>(height_);
    for (uint32_t top = 0; top < height; top += std::min(tile_height_, height - top)) {
      for (uint32_t left = 0; left < width; left += std::min(tile_width_, width - left)) {
        forget_samples();
        if (TIFFReadTile(tiff_.get(), buffer_.data(), left, top, 0, plane) < 0) fail();
        decoding().stop.check(size_t{tile_width_} * tile_height_);
        const auto count = static_cast<int>(std::min(tile_width_, width - left));
        for (uint32_t y = 0; y < std::min(tile_height_, height - top); ++y)
          take(buffer_.data() + y * line_bytes, static_cast<int>(left), static_cast<int>(top + y), count);
      }
    }
  }

  // Puts the region's samples together, and then makes RGB of them.
  void decode_planes(const Rect& region, Image& out) {
    const size_t sample_bytes =
        static_cast<size_t>(layout_.bits) / 8;  // whole bytes: greys and palettes have one plane
    const auto planes = static_cast<size_t>(layout_.samples_needed);
    const size_t line_bytes = static_cast<size_t>(region.width) * planes * sample_bytes;
    together_.resize(line_bytes * static_cast<size_t>(region.height));
    for (size_t plane = 0; plane < planes; ++plane) {
      read_samples(static_cast<uint16_t>(plane), [&](const uint8_t* row, int x, int y, int count) {
        const int first = std::max(x, region.left), end = std::min(x + count, region.left + region.width);
        if (y < region.top || y >= region.top + region.height) return;
        uint8_t* line = together_.data() + static_cast<size_t>(y - region.top) * line_bytes;
        for (int column = first; column < end; ++column) {
          const size_t to = (static_cast<size_t>(column - region.left) * planes + plane) * sample_bytes;
          std::copy_n(row + static_cast<size_t>(column - x) * sample_bytes, sample_bytes, line + to);
        }
      });
    }
    TiffLayout layout = layout_;
    layout.samples = layout.samples_needed;
    for (int y = 0; y < region.height; ++y)
      tiff_row_to_rgb(layout, together_.data() + static_cast<size_t>(y) * line_bytes, 0, region.width, out.row(y),
                      decoding());
  }

  // By libtiff's own way to RGBA, strip by strip or tiles' row by row.
  void decode_raster(const Rect& region, Image& out) {
    TIFFRGBAImage image;
    std::array<char, 1024> message{};
    if (TIFFRGBAImageOK(tiff_.get(), message.data()) == 0 ||
        TIFFRGBAImageBegin(&image, tiff_.get(), 1, message.data()) == 0) {
      if (shortage_.seen()) throw std::bad_alloc();
      throw data_error("broken TIFF: {}", message.data());
    }
    const std::unique_ptr<TIFFRGBAImage, void (*)(TIFFRGBAImage*)> guard(&image, TIFFRGBAImageEnd);
    image.req_orientation = image.orientation = ORIENTATION_TOPLEFT;  // as stored
    const auto height = static_cast<uint32_t>(height_), width = static_cast<uint32_t>(width_);
    uint32_t rows = TIFFIsTiled(tiff_.get()) != 0 ? tile_height_ : long_tag(tiff_.get(), TIFFTAG_ROWSPERSTRIP, height);
    rows = std::clamp(rows, 1U, height);
    raster_.resize(size_t{width} * rows);
    for (uint32_t top = 0; top < height; top += std::min(rows, height - top)) {
      const uint32_t count = std::min(rows, height - top);
      std::fill(raster_.begin(), raster_.end(), 0U);  // as forget_samples() does
      image.row_offset = static_cast<int>(top);
      image.col_offset = 0;
      if (TIFFRGBAImageGet(&image, raster_.data(), width, count) == 0) fail();
      decoding().stop.check(size_t{width} * count);
      for (uint32_t y = 0; y < count; ++y)
        store(reinterpret_cast<const uint8_t*>(raster_.data() + size_t{y} * width), 0, static_cast<int>(top + y),
              width_, region, out);
    }
  }

  Source source_;
  ShortageWatch shortage_;
  std::unique_ptr<TIFF, CloseTiff> tiff_;
  TiffLayout layout_;
  bool planes_apart_ = false;
  int width_ = 0, height_ = 0;
  uint32_t tile_width_ = 0, tile_height_ = 0;  // 0: strips
  uint32_t rows_of_strip_ = 0;
  std::vector<uint8_t> buffer_;    // a strip or a tile
  std::vector<uint8_t> together_;  // the region's samples, of planes apart
  std::vector<uint32_t> raster_;
};

}  // namespace

bool is_tiff(std::span<const uint8_t> bytes) {
  using namespace std::string_view_literals;
  constexpr std::array kStarts = {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv};  // the last two are BigTIFF
  return std::any_of(kStarts.begin(), kStarts.end(), [&](auto start) { return begins_with(bytes, start); });
}

std::unique_ptr<ImageReader> make_tiff_reader() { return std::make_unique<TiffReader>(); }

}  // namespace resflow
