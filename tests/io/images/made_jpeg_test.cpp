#include <gtest/gtest.h>

#include <cstdio>  // jpeglib.h wants it before itself
#include <cstdlib>

#include <jpeglib.h>

#include "io/images/decode.h"
#include "tests/io/images/made_jpeg.h"

namespace resflow::testing {
namespace {

std::vector<jpeg_scan_info> scans_of(const JpegKind& kind) {
  std::vector<jpeg_scan_info> scans;
  if (kind.scan_for_each_component) {
    for (int c = 0; c < kind.channels; ++c) scans.push_back({1, {c, 0, 0, 0}, 0, 63, 0, 0});
  }
  if (kind.scan_for_each_coefficient) {
    scans.push_back({3, {0, 1, 2, 0}, 0, 0, 0, 0});
    for (int k = 1; k < 64; ++k) {
      for (int c = 0; c < 3; ++c) scans.push_back({1, {c, 0, 0, 0}, k, k, 0, 0});
    }
  }
  return scans;
}

}  // namespace

std::vector<uint8_t> make_jpeg(const JpegKind& kind) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // ends the program on a kind that cannot be: a fault of the test
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(kind.width);
  info.image_height = static_cast<JDIMENSION>(kind.height);
  info.input_components = kind.channels;
  info.in_color_space = kind.channels == 1 ? JCS_GRAYSCALE : kind.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  if (kind.rgb) jpeg_set_colorspace(&info, JCS_RGB);
  if (kind.ycck) jpeg_set_colorspace(&info, JCS_YCCK);
  jpeg_set_quality(&info, kind.quality, TRUE);
  for (int c = 0; c < kind.channels; ++c) {
    const bool full = c == 0 || c == 3;
    info.comp_info[c].h_samp_factor = full ? kind.h : kind.chroma_h;
    info.comp_info[c].v_samp_factor = full ? kind.v : kind.chroma_v;
  }
  info.restart_in_rows = kind.restart_rows;
  info.restart_interval = static_cast<unsigned>(kind.restart_blocks);
  if (kind.progressive) jpeg_simple_progression(&info);
  info.arith_code = kind.arithmetic ? TRUE : FALSE;
  const auto scans = scans_of(kind);
  if (!scans.empty()) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> line(static_cast<size_t>(kind.width) * static_cast<size_t>(kind.channels));
  for (int y = 0; y < kind.height; ++y) {
    size_t i = 0;
    for (int x = 0; x < kind.width; ++x) {
      for (int c = 0; c < kind.channels; ++c) {
        const int edge = (x / 7 + y / 11 + c) % 3 == 0 ? 90 : 0;
        line[i++] = static_cast<uint8_t>((x * (3 + c) + y * (5 - c)) / 4 % 160 + edge);
      }
    }
    JSAMPROW row = line.data();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::vector<uint8_t> made(bytes, bytes + size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return made;
}

namespace {

TEST(MadeJpeg, IsReadBack) {
  const auto bytes = make_jpeg({.width = 31, .height = 17});
  Decoder decoder;
  decoder.open(bytes);
  EXPECT_EQ(decoder.width(), 31);
  EXPECT_EQ(decoder.height(), 17);
}

}  // namespace
}  // namespace resflow::testing
