// Photographs to RGB: JPEG whole and in the parts that the recipes read, the other formats whole; one thread, files in
// memory.
#include <benchmark/benchmark.h>

#include <fmt/format.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/photographs.h"
#include "io/images/decode.h"
#include "io/images/png_encode.h"
#include "pipeline/pixels/crop.h"
#include "pipeline/pixels/resize.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

enum class Part { kWhole, kTrain, kEval };

Rect region(Part part, int width, int height, uint64_t sample) {
  if (part == Part::kTrain) return draw_train(Recipe::train(224), width, height, 1, 0, sample).crop;
  if (part == Part::kWhole) return {0, 0, width, height};
  const ResizeCrop crop = resize_center_crop(width, height, 256, 224);
  return Resizer().plan(width, height, crop.width, crop.height, crop.keep);
}

void decode(benchmark::State& state, Part part) {
  const auto& files = bench::photographs();
  Decoder decoder;
  Image image, whole;
  // First that what is timed is right.
  for (size_t i = 0; i < files.size(); i += 16) {
    decoder.open(files[i]);
    const Rect rect = region(part, decoder.width(), decoder.height(), i);
    decoder.decode(rect, image);
    decoder.open(files[i]);
    decoder.decode(whole);
    for (int y = 0; y < rect.height; ++y)
      if (std::memcmp(image.row(y), whole.row(rect.top + y) + size_t{3} * static_cast<size_t>(rect.left),
                      image.row_bytes()) != 0)
        return state.SkipWithError("a part differs from that part of the whole");
  }
  size_t i = 0;
  for (auto _ : state) {
    decoder.open(files[i % files.size()]);
    decoder.decode(region(part, decoder.width(), decoder.height(), i), image);
    benchmark::DoNotOptimize(image.row(0));
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(decode, whole, Part::kWhole)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode, train, Part::kTrain)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode, eval, Part::kEval)->Unit(benchmark::kMicrosecond);

// The first photographs as files of another format, without loss but for WebP's usual form.
using Bytes = std::vector<uint8_t>;

Bytes as_png(const Image& image) { return encode_png(image); }

Bytes as_ppm(const Image& image) {
  const std::string header = fmt::format("P6\n{} {}\n255\n", image.width(), image.height());
  Bytes bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), image.row(0), image.row(0) + image.row_bytes() * static_cast<size_t>(image.height()));
  return bytes;
}

// 24 bits a pixel: blue first, rows from the bottom, each a multiple of four bytes.
Bytes as_bmp(const Image& image) {
  const size_t row_bytes = (image.row_bytes() + 3) / 4 * 4, pixels = row_bytes * static_cast<size_t>(image.height());
  Bytes bytes(54 + pixels);
  const auto put = [&](size_t at, size_t value, int count) {
    for (int i = 0; i < count; ++i) bytes[at + static_cast<size_t>(i)] = static_cast<uint8_t>(value >> (8 * i));
  };
  bytes[0] = 'B', bytes[1] = 'M';
  put(2, bytes.size(), 4), put(10, 54, 4), put(14, 40, 4);
  put(18, static_cast<size_t>(image.width()), 4), put(22, static_cast<size_t>(image.height()), 4);
  put(26, 1, 2), put(28, 24, 2), put(34, pixels, 4);
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* to = bytes.data() + 54 + static_cast<size_t>(image.height() - 1 - y) * row_bytes;
    const uint8_t* from = image.row(y);
    for (size_t x = 0; x < image.row_bytes(); x += 3) to[x] = from[x + 2], to[x + 1] = from[x + 1], to[x + 2] = from[x];
  }
  return bytes;
}

Bytes taken(uint8_t* bytes, size_t count) {
  Bytes all(bytes, bytes + count);
  WebPFree(bytes);
  return all;
}

Bytes as_webp_lossless(const Image& image) {
  uint8_t* out = nullptr;
  const size_t count =
      WebPEncodeLosslessRGB(image.row(0), image.width(), image.height(), static_cast<int>(image.row_bytes()), &out);
  return taken(out, count);
}

Bytes as_webp(const Image& image) {
  uint8_t* out = nullptr;
  const size_t count =
      WebPEncodeRGB(image.row(0), image.width(), image.height(), static_cast<int>(image.row_bytes()), 90, &out);
  return taken(out, count);
}

// Mean distance of two pictures' values; a number out of reach where their sizes differ.
double distance(const Image& a, const Image& b) {
  if (a.width() != b.width() || a.height() != b.height()) return 1e9;
  double sum = 0;
  const size_t count = a.row_bytes() * static_cast<size_t>(a.height());
  for (size_t i = 0; i < count; ++i) sum += std::abs(static_cast<int>(a.row(0)[i]) - static_cast<int>(b.row(0)[i]));
  return sum / static_cast<double>(count);
}

// `loss`: how far the values may be off on average.
void format(benchmark::State& state, Bytes (*encode)(const Image&), double loss) {
  constexpr size_t kFiles = 16;
  Decoder decoder;
  Image image, decoded;
  std::vector<Bytes> files;
  for (size_t i = 0; i < std::min(kFiles, bench::photographs().size()); ++i) {
    decoder.open(bench::photographs()[i]);
    decoder.decode(image);
    files.push_back(encode(image));
    decoder.open(files.back());
    decoder.decode(decoded);
    if (!(distance(image, decoded) <= loss)) return state.SkipWithError("the picture is another one after all");
  }
  size_t i = 0;
  for (auto _ : state) {
    decoder.open(files[i++ % files.size()]);
    decoder.decode(decoded);
    benchmark::DoNotOptimize(decoded.row(0));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(format, png, as_png, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(format, ppm, as_ppm, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(format, bmp, as_bmp, 0)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(format, webp, as_webp, 8)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(format, webp_lossless, as_webp_lossless, 0)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace resflow
