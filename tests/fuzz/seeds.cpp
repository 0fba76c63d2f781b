// Writes the first inputs of the fuzz targets: seeds FOLDER makes FOLDER/TARGET/NAME. The same ones each time.
#include <tiffio.h>
#include <webp/encode.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint.h"
#include "io/formats/zip_archive.h"
#include "io/images/jpeg_encode.h"
#include "io/images/png_encode.h"
#include "io/pack/writer.h"
#include "io/pth/pth.h"
#include "io/weights/safetensors.h"
#include "tests/support/files.h"

namespace {

using namespace resflow;
using resflow::testing::read_text;
using resflow::testing::write_text;
namespace fs = std::filesystem;

Array ramp(DType dtype, const Dims& dims) {
  Array array(dtype, dims);
  for (size_t i = 0; i < array.bytes(); ++i) array.raw()[i] = static_cast<std::byte>(i + 1);
  return array;
}

std::vector<NamedArray> tensors_of_every_kind() {
  return {{"conv1.weight", ramp(DType::kF32, {2, 1, 3, 3})},
          {"bn1.num_batches_tracked", ramp(DType::kI64, {})},
          {"bytes", ramp(DType::kU8, {5})},
          {"half", ramp(DType::kF16, {3, 1})},
          {"brain", ramp(DType::kBF16, {3})},
          {"double", ramp(DType::kF64, {1})},
          {"int", ramp(DType::kI32, {2})},
          {"none", ramp(DType::kF32, {0, 4})}};
}

Checkpoint checkpoint_with_all() {
  Checkpoint checkpoint;
  checkpoint.model = {.architecture = "resnet50",
                      .num_classes = 2,
                      .zero_init_residual = true,
                      .replace_stride_with_dilation = {false, true, true},
                      .groups = 32,
                      .width_per_group = 4};
  checkpoint.classes = {"ant", "bee"};
  checkpoint.parameters = tensors_of_every_kind();
  checkpoint.optimizer = {{"conv1.weight/exp_avg", ramp(DType::kF32, {2, 1, 3, 3})}};
  checkpoint.optimizer_name = "adam";
  checkpoint.training.seed = 7;
  checkpoint.training.history = {{.epoch = 1}, {.epoch = 2}};
  checkpoint.training.options = {{"--lr", "0.001"}};
  checkpoint.training.fingerprint = "a machine";
  return checkpoint;
}

// The pickle of a .pth by itself.
std::string pickle_in(const std::string& path) {
  const ZipArchive archive(path);
  const ZipEntry& entry = *archive.find("archive/data.pkl");
  const std::vector<uint8_t> bytes = archive.read(entry, entry.bytes);
  return {bytes.begin(), bytes.end()};
}

// What follows the fixed start of a legacy file with one tensor of 2 f32: the state dict, the keys of its storages, and
// the storage's count and values.
std::string legacy_rest(std::string pickle) {
  pickle.insert(pickle.find("tQ"), "N");  // legacy storages may be views, this one is not
  using namespace std::string_literals;
  return pickle + "\x80\x02]X\x01\0\0\0"s + "0a." + "\2\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08"s;
}

// What follows the fixed start of a legacy file: an object with a tensor and a view of it, the storages' keys, a
// storage.
void write_legacy_object(const std::string& path) {
  static constexpr char kBytes[] =
      "\x80\x02}(X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
      "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\4NtQ"
      "K\0K\2K\2\x86K\2K\1\x86\x89}tRX\1\0\0\0vctorch._utils\n_rebuild_tensor\n("
      "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\4X\1\0\0\0pK\1K\3\x87tQ"
      "K\1K\2\x85K\1\x85tRu."
      "\x80\x02]X\1\0\0\0ka."
      "\4\0\0\0\0\0\0\0abcdefghijklmnop";
  write_text(path, {kBytes, sizeof kBytes - 1});
}

// A whole file, cut ones, and some with a byte that is wrong.
void spoil(const std::string& path) {
  const std::string whole = read_text(path);
  const auto write = [&](const std::string& name, const std::string& bytes) { write_text(path + name, bytes); };
  for (const size_t share : {1, 2, 3}) write("-cut" + std::to_string(share), whole.substr(0, whole.size() * share / 4));
  for (const size_t at : {size_t{0}, size_t{9}, whole.size() / 3, whole.size() - 1}) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x11);
    write("-wrong" + std::to_string(at), wrong);
  }
}

Image gradient(int width, int height) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y) {
    for (int i = 0; i < width * 3; ++i) image.row(y)[i] = static_cast<uint8_t>(i * 5 + y * 11);
  }
  return image;
}

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

// By libtiff; the row serves for every kind of pixels.
void write_tiff(const std::string& path, uint16_t compression, uint16_t photometric, uint16_t samples, uint16_t bits,
                bool tiled, uint16_t planar) {
  TIFF* tiff = TIFFOpen(path.c_str(), "w");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 20);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 10);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, photometric);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, samples);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, planar);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, 6);
  if (compression == COMPRESSION_JPEG && photometric == PHOTOMETRIC_YCBCR)
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  std::vector<uint8_t> pixels(16 * 16 * 16);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 7);
  const int planes = planar == PLANARCONFIG_SEPARATE ? samples : 1;
  if (tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    for (uint32_t tile = 0; tile < TIFFNumberOfTiles(tiff); ++tile)
      TIFFWriteEncodedTile(tiff, tile, pixels.data(), TIFFTileSize(tiff));
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
    for (int plane = 0; plane < planes; ++plane) {
      for (uint32_t y = 0; y < 10; ++y) TIFFWriteScanline(tiff, pixels.data(), y, static_cast<uint16_t>(plane));
    }
  }
  TIFFClose(tiff);
}

// A file or two of every format, small ones.
void write_images(const std::string& folder) {
  const Image image = gradient(20, 10);
  const std::string jpeg = text_of(encode_jpeg(image, 80));
  write_text(folder + "/jpeg", jpeg);
  using namespace std::string_literals;
  const std::string exif = "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"s;
  const std::string app1 = "\xFF\xE1\0"s + static_cast<char>(exif.size() + 2) + exif;
  write_text(folder + "/jpeg-exif", jpeg.substr(0, 2) + app1 + jpeg.substr(2));
  write_text(folder + "/png", text_of(encode_png(image)));
  uint8_t* webp = nullptr;
  size_t size = WebPEncodeLosslessRGB(image.row(0), 20, 10, 60, &webp);
  write_text(folder + "/webp-lossless", {reinterpret_cast<char*>(webp), size});
  WebPFree(webp);
  size = WebPEncodeRGB(image.row(0), 20, 10, 60, 50, &webp);
  write_text(folder + "/webp", {reinterpret_cast<char*>(webp), size});
  WebPFree(webp);
  const std::string pixels(20 * 10 * 3, 'p');
  write_text(folder + "/ppm", "P6 20 10 255\n" + pixels);
  write_text(folder + "/pgm16", "P5 10 10 1000\n" + pixels.substr(0, 200));
  write_text(folder + "/pbm", "P4 20 10\n" + pixels.substr(0, 30));
  write_text(folder + "/ppm-plain", "P3\n# three\n1 2 255\n1 2 3 4 5 6\n");
  write_text(folder + "/pbm-plain", "P1\n4 2\n1010 1 1 0 0\n");
  const std::string size_of_bmp = "\x14\0\0\0\x0A\0\0\0"s, rest(24, '\0');
  const std::string start = "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s + size_of_bmp + "\1\0"s;
  write_text(folder + "/bmp24", start + "\x18\0"s + rest + pixels);
  write_text(folder + "/bmp16", start + "\x10\0"s + rest + pixels);
  std::string palette(1024, '\7');
  std::string rle = start + "\x08\0\1\0\0\0"s + rest.substr(4) + palette + "\x14\1\0\0\0\4abcd\x05\2\0\0\0\2\1\1"s;
  for (int y = 0; y < 10; ++y) rle += "\x14\3\0\0"s;
  write_text(folder + "/bmp-rle", rle);
  write_text(folder + "/bmp4", start + "\4\0"s + rest + palette.substr(0, 64) + pixels);

  write_tiff(folder + "/tiff", COMPRESSION_NONE, PHOTOMETRIC_RGB, 3, 8, false, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-planes", COMPRESSION_NONE, PHOTOMETRIC_RGB, 3, 16, false, PLANARCONFIG_SEPARATE);
  write_tiff(folder + "/tiff-tiles", COMPRESSION_ADOBE_DEFLATE, PHOTOMETRIC_SEPARATED, 4, 8, true, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-lzw", COMPRESSION_LZW, PHOTOMETRIC_MINISBLACK, 1, 16, false, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-packbits", COMPRESSION_PACKBITS, PHOTOMETRIC_MINISWHITE, 1, 4, false, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-g4", COMPRESSION_CCITTFAX4, PHOTOMETRIC_MINISWHITE, 1, 1, false, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-g3", COMPRESSION_CCITTFAX3, PHOTOMETRIC_MINISWHITE, 1, 1, false, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-jpeg", COMPRESSION_JPEG, PHOTOMETRIC_YCBCR, 3, 8, true, PLANARCONFIG_CONTIG);
  write_tiff(folder + "/tiff-ycbcr", COMPRESSION_LZW, PHOTOMETRIC_YCBCR, 3, 8, true, PLANARCONFIG_CONTIG);
}

void write_packs(const std::string& folder) {
  const std::vector<uint8_t> picture = {'p', 'i', 'c'};
  PackWriter labels(folder + "/labels", {.classes = {"ant", "bee"}, .short_side = 32, .quality = 90});
  for (int i = 0; i < 4; ++i) labels.add("class/" + std::to_string(i) + ".jpg", i % 2, picture);
  labels.commit();
  PackWriter(folder + "/none", {}).commit();
}

}  // namespace

int main(int, char** argv) {
  const std::string folder = argv[1];
  for (const char* target : {"safetensors", "checkpoint", "pickle", "image", "pack"})
    fs::create_directories(folder + "/" + target);
  const std::vector<NamedArray> all = tensors_of_every_kind(), one = {{"w", ramp(DType::kF32, {2})}};
  write_safetensors(all, {{"format", "pt"}, {"classes", "[\"ant\",\"bee\"]"}}, folder + "/safetensors/all");
  write_safetensors(one, {}, folder + "/safetensors/one");
  write_safetensors({}, {}, folder + "/safetensors/none");
  save_checkpoint(checkpoint_with_all(), folder + "/checkpoint/all");
  save_checkpoint({}, folder + "/checkpoint/none");
  Checkpoint scored;
  scored.model.architecture = "resnet18";
  scored.parameters = one;
  save_checkpoint(scored, folder + "/checkpoint/one");
  write_pth(all, folder + "/pickle/all");
  write_pth(one, folder + "/pickle/one");
  write_pth({}, folder + "/pickle/none");
  write_legacy_object(folder + "/pickle/object");
  write_text(folder + "/pickle/bare-all", pickle_in(folder + "/pickle/all"));
  write_text(folder + "/pickle/legacy-one", legacy_rest(pickle_in(folder + "/pickle/one")));
  write_images(folder + "/image");
  write_packs(folder + "/pack");
  for (const char* seed : {"safetensors/all", "safetensors/one", "checkpoint/all", "checkpoint/one", "pickle/all",
                           "pickle/one", "pickle/object", "pack/labels", "pack/none"})
    spoil(folder + "/" + seed);
  return 0;
}
