// Random draws that do not depend on thread count, timing or what was drawn before.
//
// A Draw is a stream of numbers keyed by (seed, epoch, sample, transform): counter-based Philox4x32-10
// (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), so any one can be made at any time,
// anywhere. Streams of different keys never overlap while epoch < 2^40, sample < 2^48 and a stream is
// shorter than 2^34 words.
#pragma once

#include <array>
#include <cstdint>

namespace resflow {

// One block of Philox4x32-10: 128 bits that are a bijection of `counter` for every `key`.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What a draw is for; part of its key. Values never change meaning: a resumed run must draw the same.
enum class DrawFor : uint32_t {
  kOrder = 0,
  kRandomResizedCrop = 1,
  kHorizontalFlip = 2,
  kColorJitter = 3,
  kAutoAugment = 4,
  kRandomErasing = 5,
  kWeightedOrder = 6,
  kMix = 7,     // its "sample" is the number of a batch
  kFolds = 64,  // its "sample" is a label
};

class Draw {
 public:
  Draw(uint64_t seed, uint64_t epoch, uint64_t sample, DrawFor what);

  uint32_t next();                             // 32 uniform bits
  double uniform();                            // [0, 1), 53 bits
  double uniform(double low, double high);     // [low, high); `low` where they are equal
  int64_t integer(int64_t low, int64_t high);  // inclusive, unbiased. REQUIRES: low <= high.

 private:
  uint64_t next64();

  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int left_ = 0;  // words of block_ not yet given out
};

}  // namespace resflow
