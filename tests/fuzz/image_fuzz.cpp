// Image files of every format: a file is refused as bad data, or decoded, and then any region of it is the same pixels.
#include <algorithm>
#include <vector>

#include "io/images/decode.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

// More would only be slow. (A header may say more; that it is refused above kMaxPixels is seen by open.)
constexpr int64_t kMaxFuzzedPixels = int64_t{1} << 18;

// A region that the bytes choose.
Rect region_of(std::span<const uint8_t> bytes, int width, int height) {
  const auto draw = [&](size_t at, int below) { return bytes[at % bytes.size()] % below; };
  const int left = draw(bytes.size() / 2, width), top = draw(bytes.size() / 3, height);
  return {left, top, 1 + draw(bytes.size() / 5, width - left), 1 + draw(bytes.size() / 7, height - top)};
}

void run(std::span<const uint8_t> bytes) {
  static Decoder decoder;  // one for all: nothing of a file may reach the next
  static Image whole, part;
  decoder.set_exif(bytes.size() % 2 == 0);
  if (!accepts([&] { decoder.open(bytes, "input"); })) return;
  const int width = decoder.width(), height = decoder.height();
  if (width < 1 || height < 1 || int64_t{width} * height > kMaxPixels) finding("a size that cannot be");
  if (int64_t{width} * height > kMaxFuzzedPixels) return;
  const bool taken = accepts([&] { decoder.decode(whole); });
  if (taken && (whole.width() != width || whole.height() != height)) finding("a picture of another size");
  const Rect region = region_of(bytes, width, height);
  if (accepts([&] { decoder.decode(region, part); }) != taken) finding("the whole and a part have two verdicts");
  if (!taken) return;
  for (int y = 0; y < region.height; ++y) {
    const uint8_t* from = whole.row(region.top + y) + static_cast<std::ptrdiff_t>(region.left) * 3;
    if (!std::equal(from, from + part.row_bytes(), part.row(y))) finding("a region is not a part of the whole");
  }
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
