#include "pipeline/pixels/random.h"

#include <cmath>

namespace resflow {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr int kRounds = 10;
  constexpr uint64_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiply0 * counter[0];
    const uint64_t product1 = kMultiply1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Draw::Draw(uint64_t seed, uint64_t epoch, uint64_t sample, DrawFor what)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      counter_{0, static_cast<uint32_t>(sample), static_cast<uint32_t>(epoch),
               static_cast<uint32_t>(what) << 24 | static_cast<uint32_t>(sample >> 32 & 0xFFFF) << 8 |
                   static_cast<uint32_t>(epoch >> 32 & 0xFF)} {}

uint32_t Draw::next() {
  if (left_ == 0) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    left_ = 4;
  }
  return block_[static_cast<size_t>(4 - left_--)];
}

uint64_t Draw::next64() {
  const uint64_t high = next();
  return high << 32 | next();
}

double Draw::uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

double Draw::uniform(double low, double high) {
  const double value = low + (high - low) * uniform();
  // The sum may round up to the excluded end.
  return value < high || low == high ? value : std::nextafter(high, low);
}

int64_t Draw::integer(int64_t low, int64_t high) {
  // Lemire 2019, "Fast random integer generation in an interval": multiply, and reject the few low halves
  // that would make some results more frequent than others.
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  if (range == 0) return static_cast<int64_t>(next64());
  const uint64_t threshold = (0 - range) % range;
  unsigned __int128 product = 0;
  do product = static_cast<unsigned __int128>(next64()) * range;
  while (static_cast<uint64_t>(product) < threshold);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + static_cast<uint64_t>(product >> 64));
}

}  // namespace resflow
