#include "io/images/png_encode.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>
#include <new>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

struct PngEncoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf jump;
  std::array<char, 256> message{};
  const Image& image;
  std::vector<uint8_t> bytes;

  explicit PngEncoder(const Image& picture) : image(picture) {}
  ~PngEncoder() { png_destroy_write_struct(&png, &info); }
  PngEncoder(const PngEncoder&) = delete;
  PngEncoder& operator=(const PngEncoder&) = delete;

  [[noreturn]] static void leave(png_structp png, png_const_charp text) {
    auto* self = static_cast<PngEncoder*>(png_get_error_ptr(png));
    std::strncpy(self->message.data(), text, self->message.size() - 1);
    std::longjmp(self->jump, 1);
  }

  static void ignore_warning(png_structp, png_const_charp) {}

  // No exception may pass through libpng.
  static void append(png_structp png, png_bytep from, size_t count) {
    auto* self = static_cast<PngEncoder*>(png_get_io_ptr(png));
    bool done = true;
    try {
      self->bytes.insert(self->bytes.end(), from, from + count);
    } catch (const std::bad_alloc&) {
      done = false;
    }
    if (!done) png_error(png, "no memory");
  }

  static void flush(png_structp) {}

  // Owns nothing: libpng leaves it by longjmp. False where it did.
  bool run() {
    if (setjmp(jump) != 0) return false;  // NOLINT(cert-err52-cpp): libpng knows no other way
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, leave, ignore_warning);
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) return false;
    png_set_write_fn(png, this, append, flush);
    png_set_IHDR(png, info, static_cast<png_uint_32>(image.width()), static_cast<png_uint_32>(image.height()), 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < image.height(); ++y) png_write_row(png, image.row(y));
    png_write_end(png, info);
    return true;
  }
};

}  // namespace

std::vector<uint8_t> encode_png(const Image& image) {
  PngEncoder encoder(image);
  if (!encoder.run()) {
    throw internal_error("an image of {}x{} cannot be written as PNG: {}", image.width(), image.height(),
                         encoder.message.data());
  }
  return std::move(encoder.bytes);
}

}  // namespace resflow
