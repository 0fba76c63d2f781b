#include <array>

#include "pipeline/pixels/avx512.h"
#include "pipeline/pixels/normalize_kernels.h"

namespace resflow::normalize_kernels {
namespace {

constexpr int kVectorBytes = 64;
using Indices = std::array<uint8_t, kVectorBytes>;

// Where lane i finds its byte of `channel` among 16 interleaved pixels; backwards for a flip.
constexpr Indices gather(int channel, bool flip) {
  Indices indices{};
  for (int i = 0; i < kPixels; ++i)
    indices[static_cast<size_t>(i) * 4] = static_cast<uint8_t>((flip ? kPixels - 1 - i : i) * 3 + channel);
  return indices;
}
alignas(kVectorBytes) constexpr Indices kGather[2][3] = {{gather(0, false), gather(1, false), gather(2, false)},
                                                         {gather(0, true), gather(1, true), gather(2, true)}};

RESFLOW_AVX512_INLINE __m512 divide(__m512 dividend, __m512 divisor, __m512 inverse) {
  const __m512 guess = _mm512_mul_ps(dividend, inverse);
  const __m512 remainder = _mm512_fnmadd_ps(guess, divisor, dividend);
  return _mm512_fmadd_ps(remainder, inverse, guess);
}

}  // namespace

RESFLOW_AVX512 void row_avx512(const uint8_t* src, int width, bool flip, const Constants& constants,
                               float* const planes[3]) {
  constexpr __mmask64 kPixelBytes = (__mmask64{1} << (kPixels * 3)) - 1;
  constexpr __mmask64 kLowByteOfLane = 0x1111111111111111U;
  const __m512 full = _mm512_set1_ps(255.0F), inverse_full = _mm512_set1_ps(1.0F / 255.0F);
  for (int x = 0; x + kPixels <= width; x += kPixels) {
    const __m512i pixels = _mm512_maskz_loadu_epi8(kPixelBytes, src + static_cast<size_t>(x) * 3);
    const int to = flip ? width - kPixels - x : x;
    for (int c = 0; c < 3; ++c) {
      const __m512i index = _mm512_load_si512(kGather[flip ? 1 : 0][c].data());
      const __m512 value = _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi8(kLowByteOfLane, index, pixels));
      const __m512 centred = _mm512_sub_ps(divide(value, full, inverse_full), _mm512_set1_ps(constants.mean[c]));
      _mm512_storeu_ps(planes[c] + to,
                       divide(centred, _mm512_set1_ps(constants.std[c]), _mm512_set1_ps(constants.inverse_std[c])));
    }
  }
}

}  // namespace resflow::normalize_kernels
