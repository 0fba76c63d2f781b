#include "io/images/jpeg_encode.h"

#include <csetjmp>
#include <cstdio>  // jpeglib.h wants it before itself
#include <cstdlib>

#include <jpeglib.h>

#include "io/core/error.h"

namespace resflow {
namespace {

struct Encoder {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = {};
  unsigned char* bytes = nullptr;  // libjpeg's own, from malloc
  unsigned long size = 0;
  const Image& image;
  int quality;

  Encoder(const Image& picture, int q) : image(picture), quality(q) {}
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  [[noreturn]] static void leave(j_common_ptr info) {
    auto* self = static_cast<Encoder*>(info->client_data);
    info->err->format_message(info, self->message);
    std::longjmp(self->jump, 1);
  }

  // Owns nothing: libjpeg leaves it by longjmp. False where it did.
  bool run() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = leave;
    info.client_data = this;
    if (setjmp(jump) != 0) return false;  // NOLINT(cert-err52-cpp): libjpeg knows no other way
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_width = static_cast<JDIMENSION>(image.width());
    info.image_height = static_cast<JDIMENSION>(image.height());
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);  // 4:2:0
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(info.next_scanline)));
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }
};

}  // namespace

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  if (quality < 1 || quality > 100) throw internal_error("JPEG quality {}: wanted 1 to 100", quality);
  Encoder encoder(image, quality);
  if (!encoder.run()) {
    throw internal_error("an image of {}x{} cannot be written as JPEG: {}", image.width(), image.height(),
                         encoder.message);
  }
  return {encoder.bytes, encoder.bytes + encoder.size};
}

}  // namespace resflow
