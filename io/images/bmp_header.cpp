#include "io/images/bmp_header.h"

#include <algorithm>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr uint32_t kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kJpeg = 4, kPng = 5;
constexpr size_t kFileHeader = 14;

// Little-endian numbers, one after another. A file that ends before one is truncated.
class Fields {
 public:
  explicit Fields(std::span<const uint8_t> bytes, size_t at = 0) : bytes_(bytes), at_(at) {}

  uint32_t u16() { return number(2); }
  uint32_t u32() { return number(4); }
  void skip(size_t count) {
    if (bytes_.size() - at_ < count)
      throw data_error("truncated BMP: its {} bytes end within the header", bytes_.size());
    at_ += count;
  }
  // At most `count` bytes: as many as there are.
  std::span<const uint8_t> up_to(uint64_t count) {
    const auto there = static_cast<size_t>(std::min<uint64_t>(count, bytes_.size() - at_));
    at_ += there;
    return bytes_.subspan(at_ - there, there);
  }
  size_t at() const { return at_; }

 private:
  uint32_t number(size_t size) {
    const size_t start = at_;
    skip(size);
    uint32_t value = 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | bytes_[start + i];
    return value;
  }

  std::span<const uint8_t> bytes_;
  size_t at_;
};

struct Masks {
  uint32_t red = 0, green = 0, blue = 0, alpha = 0;
  bool operator==(const Masks&) const = default;
};

void set_channels(BmpHeader& bmp, size_t bytes_per_pixel, size_t red, size_t green, size_t blue) {
  bmp.pixels = BmpPixels::kBytes;
  bmp.bytes_per_pixel = bytes_per_pixel;
  bmp.red = red;
  bmp.green = green;
  bmp.blue = blue;
}

// Those bit fields that Pillow reads.
void apply_masks(const Masks& masks, uint32_t bits, BmpHeader& bmp) {
  const Masks colours = {masks.red, masks.green, masks.blue, 0};
  if (bits == 16 && colours == Masks{0xF800, 0x7E0, 0x1F, 0}) {
    bmp.pixels = BmpPixels::kRgb565;
  } else if (bits == 16 && colours == Masks{0x7C00, 0x3E0, 0x1F, 0}) {
    bmp.pixels = BmpPixels::kRgb555;
  } else if (bits == 24 && colours == Masks{0xFF0000, 0xFF00, 0xFF, 0}) {
    set_channels(bmp, 3, 2, 1, 0);
  } else if (bits == 32 && (masks == Masks{0xFF0000, 0xFF00, 0xFF, 0} || masks == Masks{} ||
                            masks == Masks{0xFF0000, 0xFF00, 0xFF, 0xFF000000})) {
    set_channels(bmp, 4, 2, 1, 0);
  } else if (bits == 32 &&
             (masks == Masks{0xFF000000, 0xFF0000, 0xFF00, 0} || masks == Masks{0xFF000000, 0xFF0000, 0xFF00, 0xFF})) {
    set_channels(bmp, 4, 3, 2, 1);
  } else if (bits == 32 && (masks == Masks{0xFF000000, 0xFF00, 0xFF, 0} ||
                            masks == Masks{0xFF000000, 0xFF00, 0xFF, 0xFF0000})) {  // of the newest Pillow
    set_channels(bmp, 4, 3, 1, 0);
  } else if (bits == 32 && masks == Masks{0xFF, 0xFF00, 0xFF0000, 0xFF000000}) {
    set_channels(bmp, 4, 0, 1, 2);
  } else {
    throw data_error(
        "is a BMP of {} bits a pixel with the bit fields {:#x}, {:#x}, {:#x} and {:#x}, which are not read", bits,
        masks.red, masks.green, masks.blue, masks.alpha);
  }
}

// Entries that the palette does not have are greys.
void read_palette(Fields& fields, size_t entry_bytes, uint32_t colours, BmpHeader& bmp) {
  if (colours > 65536) throw data_error("broken BMP: its header says {} colours", colours);
  const auto bytes = fields.up_to(uint64_t{entry_bytes} * colours);
  const size_t entries = bytes.size() / entry_bytes;
  if (entries > bmp.palette.size())
    throw data_error("is a BMP with a palette of {} colours, wanted at most 256", entries);
  for (size_t i = 0; i < bmp.palette.size(); ++i) bmp.palette[i].fill(static_cast<uint8_t>(i));
  for (size_t i = 0; i < entries; ++i)
    std::reverse_copy(bytes.data() + i * entry_bytes, bytes.data() + i * entry_bytes + 3, bmp.palette[i].begin());
}

}  // namespace

BmpHeader read_bmp_header(std::span<const uint8_t> bytes) {
  BmpHeader bmp;
  Fields file(bytes);
  file.skip(10);
  const uint32_t stated_offset = file.u32();

  Fields fields(bytes, kFileHeader);
  const uint32_t header_bytes = fields.u32();
  const bool is_old = header_bytes == 12;
  if (!is_old && header_bytes != 40 && header_bytes != 52 && header_bytes != 56 && header_bytes != 64 &&
      header_bytes != 108 && header_bytes != 124)
    throw data_error("is a BMP with a header of {} bytes, wanted 12, 40, 52, 56, 64, 108 or 124", header_bytes);
  uint32_t bits = 0, compression = kRaw, colours = 0;
  bmp.width = is_old ? fields.u16() : fields.u32();
  bmp.height = is_old ? fields.u16() : fields.u32();
  fields.skip(2);  // planes
  bits = fields.u16();
  if (!is_old) {
    bmp.top_down = bmp.height >> 24 == 0xFF;
    if (bmp.top_down) bmp.height = ~bmp.height + 1;
    compression = fields.u32();
    fields.skip(12);  // bytes of the pixels, resolution
    colours = fields.u32();
    fields.skip(4);  // of them the important ones
  }
  Masks masks;
  if (header_bytes >= 56) {
    masks = {fields.u32(), fields.u32(), fields.u32(), fields.u32()};
    fields.skip(header_bytes - 56);
  } else if (header_bytes == 52 || compression == kBitFields) {  // of 40 bytes: they follow it
    masks = {fields.u32(), fields.u32(), fields.u32(), 0};
  }
  if (bmp.width == 0 || bmp.height == 0 || bmp.width > INT32_MAX || bmp.height > INT32_MAX)
    throw data_error("broken BMP: its header says {}x{} pixels", bmp.width, bmp.height);
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    throw data_error("is a BMP of {} bits a pixel, wanted 1, 4, 8, 16, 24 or 32", bits);
  if (colours == 0 && bits <= 8) colours = 1U << bits;

  if (compression == kJpeg || compression == kPng)
    throw data_error("is a BMP around a {}, which is not read", compression == kJpeg ? "JPEG" : "PNG");
  if (compression > kPng) throw data_error("broken BMP: its header says compression {}", compression);
  const bool encoded = compression == kRle4 || compression == kRle8;
  if (encoded && bits > 8) throw data_error("broken BMP: run-length encoded pixels of {} bits", bits);
  if (compression == kBitFields)
    apply_masks(masks, bits, bmp);
  else if (encoded)
    bmp.pixels = compression == kRle4 ? BmpPixels::kRle4 : BmpPixels::kRle8;
  else if (bits > 16)
    set_channels(bmp, bits / 8, 2, 1, 0);
  else
    bmp.pixels = bits == 16  ? BmpPixels::kRgb555
                 : bits == 8 ? BmpPixels::kIndex8
                 : bits == 4 ? BmpPixels::kIndex4
                             : BmpPixels::kIndex1;

  bmp.offset = stated_offset;
  if (bits <= 8) {
    if (stated_offset == kFileHeader + header_bytes) bmp.offset += uint64_t{4} * colours;
    read_palette(fields, is_old ? 3 : 4, colours, bmp);
  }
  if (bmp.offset == 0) bmp.offset = fields.at();

  bmp.stride = (uint64_t{bmp.width} * bits + 31) / 32 * 4;
  bmp.row_bytes = (uint64_t{bmp.width} * bits + 7) / 8;
  return bmp;
}

}  // namespace resflow
