// Pixels to the network's numbers: u8 RGB interleaved -> planar f32, (x / 255 - mean) / std.
//
// Each step is rounded to f32 as torchvision's ToTensor + Normalize rounds it, so the bits are the same.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/core/cpu.h"

namespace resflow {

class Normalizer {
 public:
  // Throws Error{kUsage} for a std that is not above 0, or numbers that are not finite.
  Normalizer(const float mean[3], const float std[3], Isa isa = cpu_isa());

  // src: height rows of width * 3 bytes without padding. dst: three planes of height x width.
  // flip: mirrored left to right.
  void run(const uint8_t* src, int width, int height, bool flip, float* dst) const;

 private:
  bool avx512_;
  float mean_[3], std_[3];
  float inverse_std_[3];
  float table_[3][256];  // what each byte becomes
};

}  // namespace resflow
