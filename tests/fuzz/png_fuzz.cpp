// PNGs whose chunks are whole: the mutator makes lengths and checksums right again, so that
// changes reach what lies behind them. What must hold is what image_fuzz.cpp says of every format.
#include "io/images/decode.h"

#include <libdeflate.h>
#include <algorithm>
#include <cstdint>
#include <span>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr int64_t kMaxFuzzedPixels = int64_t{1} << 18;
constexpr size_t kSignature = 8, kChunk = 12;

void run(std::span<const uint8_t> bytes) {
  static Decoder decoder;
  static Image whole;
  if (!accepts([&] { decoder.open(bytes, "input"); })) return;
  const int width = decoder.width(), height = decoder.height();
  if (int64_t{width} * height > kMaxFuzzedPixels) return;
  if (accepts([&] { decoder.decode(whole); }) && (whole.width() != width || whole.height() != height))
    finding("a picture of another size");
}

uint32_t big_endian(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void put_big_endian(uint8_t* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

// The last chunk takes what is left.
void repair(std::span<uint8_t> file) {
  for (size_t at = kSignature; at + kChunk <= file.size();) {
    const size_t room = file.size() - at - kChunk;
    const size_t length = std::min<size_t>(big_endian(&file[at]), room);
    put_big_endian(&file[at], static_cast<uint32_t>(length));
    put_big_endian(&file[at + 8 + length], libdeflate_crc32(0, &file[at + 4], length + 4));
    at += kChunk + length;
  }
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return resflow::fuzzing::mutate_and_repair(data, size, max_size, seed, 16, resflow::fuzzing::repair);
}
