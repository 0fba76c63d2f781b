#include "io/images/jpeg.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h wants it before itself
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "io/core/bytes.h"
#include "io/core/error.h"

namespace resflow {
namespace {

// A file of a few kilobytes can hold thousands of progressive scans, each of them a pass over all pixels.
constexpr int kMaxScans = 100;
// Of a huge picture fewer, but more than programs write: so many pixels in all scans together.
constexpr int64_t kMaxScanPixels = 6'400'000'000;

// What stands behind a file that ends early and is taken all the same, as Pillow has it.
constexpr std::array<JOCTET, 2> kMadeUpEnd = {0xFF, 0xD9};

struct ErrorManager {
  jpeg_error_mgr pub;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<ErrorManager*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

// Warnings are damage that the decoder got over; trace messages are nothing to us.
void count_warning(j_common_ptr info, int level) {
  if (level < 0) ++info->err->num_warnings;
}

void print_nothing(j_common_ptr) {}

void source_ignores(j_decompress_ptr) {}

// libjpeg has all bytes from the start: where it asks for more, the file is truncated. It is told to suspend, as Pillow
// tells it, so that its verdict is Pillow's: a picture that can be finished without more bytes is whole.
boolean no_more_bytes(j_decompress_ptr info);

void skip_bytes(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  const size_t skipped = std::min<size_t>(static_cast<size_t>(count), info->src->bytes_in_buffer);
  info->src->next_input_byte += skipped;
  info->src->bytes_in_buffer -= skipped;
}

void watch_progress(j_common_ptr info);

// True where the entropy-coded data from `bytes` on run without a stray marker to an end-of-image marker.
// Nothing in them can then be an error, only a warning: the verdict is known without decoding them.
bool runs_to_end_of_image(std::span<const uint8_t> bytes, bool has_restarts) {
  const uint8_t* at = bytes.data();
  const uint8_t* const end = at + bytes.size();
  while (at < end) {
    at = static_cast<const uint8_t*>(std::memchr(at, 0xFF, static_cast<size_t>(end - at)));
    if (at == nullptr) return false;
    while (at < end && *at == 0xFF) ++at;  // fill bytes
    if (at == end) return false;
    if (*at == 0xD9) return true;
    const bool restart = *at >= 0xD0 && *at <= 0xD7;
    if (*at != 0 && !(restart && has_restarts)) return false;
    ++at;
  }
  return false;
}

// Pillow's CMYK to RGB, after it has inverted all four as Adobe's files have them.
void cmyk_to_rgb(const uint8_t* cmyk, uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int white = cmyk[3];  // 255 - the inverted K
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[c]) * white + 128;
      rgb[c] = static_cast<uint8_t>(std::clamp(white - (((product >> 8) + product) >> 8), 0, 255));
    }
  }
}

enum class Outcome { kDone, kTruncated, kBroken };

struct Decompressor {
  jpeg_decompress_struct info{};
  ErrorManager errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::span<const uint8_t> bytes;
  Decoding* how = nullptr;
  bool end_is_made_up = false;  // the bytes have ended, and kMadeUpEnd was given behind them
  bool stopped = false;
  bool header_is_read = false;
  int eighths = 0;  // of the scale; 0: exact
  std::vector<uint8_t> line;

  // What decode_rows works on. Held here, because a local of the function that calls setjmp may be lost.
  Rect region;
  Image* out = nullptr;
  int row = 0;

  Decompressor() {
    info.err = jpeg_std_error(&errors.pub);
    errors.pub.error_exit = leave;
    errors.pub.emit_message = count_warning;
    errors.pub.output_message = print_nothing;
    source.init_source = source_ignores;
    source.fill_input_buffer = no_more_bytes;
    source.skip_input_data = skip_bytes;
    source.resync_to_restart = jpeg_resync_to_restart;
    source.term_source = source_ignores;
    progress.progress_monitor = watch_progress;
  }
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Runs `step`, which must own nothing: libjpeg leaves it by longjmp.
  Outcome guarded(Outcome (*step)(Decompressor&)) {
    if (setjmp(errors.jump) != 0) return Outcome::kBroken;  // NOLINT(cert-err52-cpp): libjpeg knows no other way
    return step(*this);
  }

  bool is_short_of_memory() const { return errors.pub.msg_code == JERR_OUT_OF_MEMORY; }
  // Whether a decoding that did not come to its end did so for want of bytes.
  bool ends_for_its_end() const { return !stopped && !is_short_of_memory(); }

  void check(Outcome outcome) {
    if (outcome == Outcome::kDone) return;
    const bool no_memory = outcome == Outcome::kBroken && is_short_of_memory();
    jpeg_abort_decompress(&info);
    header_is_read = false;
    if (stopped) throw DecodingStopped();
    if (no_memory) throw std::bad_alloc();
    if (outcome == Outcome::kBroken) throw data_error("broken JPEG: {}", errors.message);
    if (out == nullptr) throw data_error("truncated JPEG: its {} bytes end within the header", bytes.size());
    throw data_error("truncated JPEG: its {} bytes end in or before row {} of {}", bytes.size(),
                     row * DCTSIZE / block() + 1, info.image_height);
  }

  void read_header() {
    // Made anew for each file: jpeg_abort_decompress would leave it the tables of the file before.
    jpeg_destroy_decompress(&info);
    if (guarded([](Decompressor& self) {
          jpeg_create_decompress(&self.info);
          self.info.client_data = &self;
          return Outcome::kDone;
        }) != Outcome::kDone)
      throw std::bad_alloc();
    info.src = &source;
    info.progress = &progress;
    source.next_input_byte = bytes.data();
    source.bytes_in_buffer = bytes.size();
    errors.pub.num_warnings = 0;
    end_is_made_up = stopped = false;
    errors.pub.msg_code = 0;
    out = nullptr;
    eighths = 0;
    check(guarded([](Decompressor& self) {
      int state = JPEG_HEADER_TABLES_ONLY;
      // As Pillow does: an image may follow a stream of tables alone.
      while (state == JPEG_HEADER_TABLES_ONLY) state = jpeg_read_header(&self.info, FALSE);
      return state == JPEG_HEADER_OK ? Outcome::kDone : Outcome::kTruncated;
    }));
    header_is_read = true;
  }

  bool is_cmyk() const { return info.num_components == 4; }

  // Of several scans all coefficients are kept until the last one.
  int64_t coefficient_bytes() const {
    if (info.progressive_mode == 0 && info.comps_in_scan >= info.num_components) return 0;
    int64_t blocks = 0;
    for (int c = 0; c < info.num_components; ++c) {
      const jpeg_component_info& part = info.comp_info[c];
      const auto along = [](int64_t side, int factor, int most) {
        const int64_t unit = int64_t{most} * DCTSIZE;
        return (side + unit - 1) / unit * factor;
      };
      blocks += along(info.image_width, part.h_samp_factor, info.max_h_samp_factor) *
                along(info.image_height, part.v_samp_factor, info.max_v_samp_factor);
    }
    return blocks * DCTSIZE2 * static_cast<int64_t>(sizeof(JCOEF));
  }

  // Skipping and cropping are for files that libjpeg-turbo is used to: see io/images/jpeg.h.
  bool is_ordinary() const {
    if (info.progressive_mode != 0 || info.arith_code != 0 || info.data_precision != 8) return false;
    if (info.comps_in_scan != info.num_components) return false;
    if (info.num_components != 1 && info.num_components != 3) return false;
    for (int c = 0; c < info.num_components; ++c) {
      const int h = info.comp_info[c].h_samp_factor, v = info.comp_info[c].v_samp_factor;
      const bool full_size = c == 0 && info.num_components == 3;
      if (full_size ? h > 2 || v > 2 : h != 1 || v != 1) return false;
    }
    return runs_to_end_of_image({source.next_input_byte, source.bytes_in_buffer}, info.restart_interval > 0);
  }

  // Pixels of a block's side.
  int block() const { return eighths == 0 ? DCTSIZE : eighths; }
  // As libjpeg rounds it.
  int scaled(int side) const { return (side * block() + DCTSIZE - 1) / DCTSIZE; }

  // Columns that are decoded for the region: whole MCUs, and one more on each side where colour is upsampled,
  // because that reads the neighbouring sample.
  void crop_columns(int& left, int& right) {
    const int mcu = info.max_h_samp_factor * block(), margin = info.max_h_samp_factor > 1 ? mcu : 0;
    left = std::max(0, region.left - margin) / mcu * mcu;
    right = std::min((region.left + region.width + margin + mcu - 1) / mcu * mcu, static_cast<int>(info.output_width));
  }

  static Outcome decode_rows(Decompressor& self) {
    jpeg_decompress_struct& info = self.info;
    const Rect& region = self.region;
    const bool ordinary = self.is_ordinary();
    info.out_color_space = self.is_cmyk() ? JCS_CMYK : JCS_RGB;
    if (self.eighths > 0) {
      info.scale_num = static_cast<unsigned>(self.eighths);
      info.scale_denom = DCTSIZE;
    }
    if (jpeg_start_decompress(&info) == FALSE) return Outcome::kTruncated;
    int left = 0, right = static_cast<int>(info.output_width);
    if (ordinary) {
      self.crop_columns(left, right);
      if (left > 0 || right < static_cast<int>(info.output_width)) {
        auto first = static_cast<JDIMENSION>(left), count = static_cast<JDIMENSION>(right - left);
        jpeg_crop_scanline(&info, &first, &count);
        left = static_cast<int>(first);
      }
      if (region.top > 0) {
        jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(region.top));
        self.row = region.top;
      }
    }
    const bool direct = !self.is_cmyk() && static_cast<int>(info.output_width) == region.width;
    const int end = ordinary ? region.top + region.height : static_cast<int>(info.output_height);
    for (; self.row < end; ++self.row) {
      const bool wanted = self.row >= region.top && self.row < region.top + region.height;
      uint8_t* to = wanted ? self.out->row(self.row - region.top) : nullptr;
      JSAMPROW line = direct && wanted ? to : self.line.data();
      if (jpeg_read_scanlines(&info, &line, 1) != 1) return Outcome::kTruncated;
      self.how->stop.check(info.output_width);
      if (!wanted || direct) continue;
      const ptrdiff_t skipped = region.left - left;
      if (self.is_cmyk()) {
        cmyk_to_rgb(line + skipped * 4, to, region.width);
      } else {
        std::memcpy(to, line + skipped * 3, static_cast<size_t>(region.width) * 3);
      }
    }
    // The rest of an ordinary file cannot change the verdict. Of another it can be broken, but all rows being
    // here it need not be complete.
    if (ordinary || jpeg_finish_decompress(&info) == FALSE) jpeg_abort_decompress(&info);
    return Outcome::kDone;
  }
};

boolean no_more_bytes(j_decompress_ptr info) {
  auto* self = static_cast<Decompressor*>(info->client_data);
  // A header is not made up.
  if (self->out == nullptr || !self->how->take_truncated || self->end_is_made_up) return FALSE;
  self->end_is_made_up = true;
  info->src->next_input_byte = kMadeUpEnd.data();
  info->src->bytes_in_buffer = kMadeUpEnd.size();
  return TRUE;
}

// libjpeg calls it for each row of blocks, in each scan.
void watch_progress(j_common_ptr info) {
  const auto* jpeg = reinterpret_cast<j_decompress_ptr>(info);
  const int64_t pixels = std::max<int64_t>(int64_t{jpeg->image_width} * jpeg->image_height, 1);
  constexpr int kFewScans = 30;
  if (jpeg->input_scan_number > std::clamp<int64_t>(kMaxScanPixels / pixels, kFewScans, kMaxScans))
    ERREXIT1(info, JERR_BAD_SCAN_SCRIPT, jpeg->input_scan_number);
  auto* self = static_cast<Decompressor*>(info->client_data);
  if (!self->how->stop.asked(size_t{jpeg->image_width} * DCTSIZE)) return;
  self->stopped = true;  // an exception cannot pass libjpeg
  ERREXIT(info, JERR_BAD_STATE);
}

class JpegReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    jpeg_.bytes = bytes;
    jpeg_.how = &decoding();
    jpeg_.read_header();
    coefficient_bytes_ = jpeg_.coefficient_bytes();
    width_ = static_cast<int>(jpeg_.info.image_width);
    height_ = static_cast<int>(jpeg_.info.image_height);
  }
  int width() const override { return jpeg_.scaled(width_); }
  int height() const override { return jpeg_.scaled(height_); }

  int64_t working_bytes() const override { return coefficient_bytes_; }

  bool set_scale(int eighths) override {
    jpeg_.eighths = eighths;
    return true;
  }

  void decode(const Rect& region, Image& out) override {
    if (!jpeg_.header_is_read) {
      const int eighths = jpeg_.eighths;
      jpeg_.read_header();
      jpeg_.eighths = eighths;
    }
    jpeg_.header_is_read = false;
    out.resize(region.width, region.height);
    const size_t line_bytes = static_cast<size_t>(width()) * (jpeg_.is_cmyk() ? 4 : 3);
    if (jpeg_.line.size() < line_bytes) jpeg_.line.resize(line_bytes);
    jpeg_.region = region;
    jpeg_.out = &out;
    jpeg_.row = 0;
    const Outcome outcome = jpeg_.guarded(Decompressor::decode_rows);
    decoding().truncated = jpeg_.end_is_made_up;
    if (outcome != Outcome::kDone && jpeg_.end_is_made_up && jpeg_.ends_for_its_end()) {
      // Even with an end there is too little for another row: those that are missing stay black.
      jpeg_abort_decompress(&jpeg_.info);
      for (int y = std::max(jpeg_.row - region.top, 0); y < region.height; ++y)
        std::fill_n(out.row(y), out.row_bytes(), uint8_t{0});
      return;
    }
    jpeg_.check(outcome);
  }

 private:
  Decompressor jpeg_;
  // libjpeg's own are not to be had after decoding: a stray header behind the picture overwrites them.
  int width_ = 0, height_ = 0;
  int64_t coefficient_bytes_ = 0;
};

}  // namespace

bool is_jpeg(std::span<const uint8_t> bytes) { return begins_with(bytes, "\xFF\xD8\xFF"); }

// From marker to marker, as far as the first scan.
namespace {

// Calls `take` with what each APP1 segment before the pixels holds, until it returns true.
template <class Take>
void each_app1(std::span<const uint8_t> jpeg, const Take& take) {
  size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    if (jpeg[at] != 0xFF) {  // Pillow looks for the next marker, too
      ++at;
      continue;
    }
    const uint8_t marker = jpeg[at + 1];
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const bool has_content = marker != 0 && marker != 0x01 && !(marker >= 0xD0 && marker <= 0xD8);
    if (!has_content) {
      at += 2;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return;
    const size_t length = static_cast<size_t>(jpeg[at + 2]) << 8U | jpeg[at + 3];
    if (length < 2 || jpeg.size() - at - 2 < length) return;
    const std::span<const uint8_t> content = jpeg.subspan(at + 4, length - 2);
    if (marker == 0xE1 && take(content)) return;
    at += 2 + length;
  }
}

}  // namespace

std::span<const uint8_t> jpeg_exif(std::span<const uint8_t> jpeg) {
  using namespace std::string_view_literals;
  std::span<const uint8_t> exif;
  each_app1(jpeg, [&](std::span<const uint8_t> content) {
    if (!begins_with(content, "Exif\0"sv)) return false;
    exif = content;
    return true;
  });
  return exif;
}

std::span<const uint8_t> jpeg_xmp(std::span<const uint8_t> jpeg) {
  using namespace std::string_view_literals;
  constexpr auto kStart = "http://ns.adobe.com/xap/1.0/\0"sv;
  std::span<const uint8_t> xmp;
  each_app1(jpeg, [&](std::span<const uint8_t> content) {
    if (begins_with(content, kStart)) xmp = content.subspan(kStart.size());  // the last one holds
    return false;
  });
  return xmp;
}

std::unique_ptr<ImageReader> make_jpeg_reader() { return std::make_unique<JpegReader>(); }

}  // namespace resflow
