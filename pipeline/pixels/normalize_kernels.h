// Vector forms of pipeline/pixels/normalize.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resflow::normalize_kernels {

struct Constants {
  const float* mean;         // [3]
  const float* std;          // [3]
  const float* inverse_std;  // [3] 1 / std, rounded
};

// A quotient by multiplication: a first guess by the rounded inverse, corrected once by its exact remainder.
// Whether that gives the bits of a division is checked for all 256 bytes before the kernel is used.
void row_avx512(const uint8_t* src, int width, bool flip, const Constants& constants, float* const planes[3]);

// Pixels of one vector: row_avx512 writes width / kPixels * kPixels of them, those from the left of src.
inline constexpr int kPixels = 16;

}  // namespace resflow::normalize_kernels
