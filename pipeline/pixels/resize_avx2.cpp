// The resampling passes with AVX2.
//
// vpmaddwd adds two products of 16 bits into a 32-bit lane. A weight of 24 bits is split at bit 15 into two
// such factors, w = low + 32768 high, so that two instructions apply two taps exactly.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "pipeline/pixels/resize_kernels.h"

#define RESFLOW_AVX2 __attribute__((target("avx2")))
#define RESFLOW_AVX2_INLINE RESFLOW_AVX2 __attribute__((always_inline)) inline

namespace resflow::resize_kernels {
namespace {

constexpr int kSplit = 15;
constexpr int32_t kLowMask = (1 << kSplit) - 1;

// Both halves of two neighbouring weights, each as a pair of 16-bit factors in every lane.
struct WeightPair {
  __m256i low, high;
};
RESFLOW_AVX2_INLINE WeightPair pair_of(int32_t first, int32_t second) {
  return {_mm256_set1_epi32((first & kLowMask) | (second & kLowMask) << 16),
          _mm256_set1_epi32(((first >> kSplit) & 0xffff) | (second >> kSplit) * (1 << 16))};
}

RESFLOW_AVX2_INLINE __m256i join(__m256i low, __m256i high) {
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, kSplit), low), kFractionBits);
}

// 16 bytes of which the first `bytes` count; never reads at or behind `end`.
RESFLOW_AVX2_INLINE __m128i load_taps(const uint8_t* from, const uint8_t* end, int bytes) {
  if (end - from >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  alignas(16) uint8_t copy[16] = {};
  std::memcpy(copy, from, static_cast<size_t>(bytes));
  return _mm_load_si128(reinterpret_cast<const __m128i*>(copy));
}

}  // namespace

// One pixel of two rows at once, a row in each half of the vector.
RESFLOW_AVX2 void horizontal_avx2(const Image& source, const ResampleAxis& axis, uint8_t* dst, size_t stride,
                                  std::vector<uint8_t>&) {
  const __m256i taps01 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const __m256i taps23 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
  const uint8_t* end = source.row(source.height() - 1) + source.row_bytes();
  for (int y = 0; y < source.height(); y += 2) {
    const int rows[2] = {y, std::min(y + 1, source.height() - 1)};
    for (int x = 0; x < axis.size(); ++x) {
      const int count = axis.count[static_cast<size_t>(x)];
      const int32_t* weights = axis.weights.data() + static_cast<size_t>(x) * static_cast<size_t>(axis.stride);
      __m256i low = _mm256_set1_epi32(kHalf), high = _mm256_setzero_si256();
      for (int t = 0; t < count; t += 4) {
        const size_t begin = static_cast<size_t>(axis.first[static_cast<size_t>(x)] + t) * 3;
        const int bytes = 3 * std::min(4, count - t);
        const __m256i pixels =
            _mm256_inserti128_si256(_mm256_castsi128_si256(load_taps(source.row(rows[0]) + begin, end, bytes)),
                                    load_taps(source.row(rows[1]) + begin, end, bytes), 1);
        const WeightPair weights01 = pair_of(weights[t], weights[t + 1]);
        const WeightPair weights23 = pair_of(weights[t + 2], weights[t + 3]);
        const __m256i pixels01 = _mm256_shuffle_epi8(pixels, taps01), pixels23 = _mm256_shuffle_epi8(pixels, taps23);
        low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels01, weights01.low));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels01, weights01.high));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels23, weights23.low));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels23, weights23.high));
      }
      const __m256i words = _mm256_packs_epi32(join(low, high), join(low, high));
      const __m256i packed = _mm256_packus_epi16(words, words);
      const int pixel[2] = {_mm256_extract_epi32(packed, 0), _mm256_extract_epi32(packed, 4)};
      for (int r = 0; r < 2; ++r)
        std::memcpy(dst + static_cast<size_t>(rows[r]) * stride + static_cast<size_t>(x) * 3, &pixel[r], 3);
    }
  }
}

RESFLOW_AVX2 void vertical_avx2(const uint8_t* src, size_t src_stride, const ResampleAxis& axis, size_t bytes,
                                uint8_t* dst, size_t dst_stride) {
  constexpr size_t kVectorBytes = 32;
  const __m256i zero = _mm256_setzero_si256();
  for (int y = 0; y < axis.size(); ++y) {
    const int count = axis.count[static_cast<size_t>(y)];
    const uint8_t* first = src + static_cast<size_t>(axis.first[static_cast<size_t>(y)]) * src_stride;
    const int32_t* weights = axis.weights.data() + static_cast<size_t>(y) * static_cast<size_t>(axis.stride);
    uint8_t* out = dst + static_cast<size_t>(y) * dst_stride;
    for (size_t x = 0; x < bytes; x += kVectorBytes) {
      __m256i low[4], high[4];
      for (int i = 0; i < 4; ++i) {
        low[i] = _mm256_set1_epi32(kHalf);
        high[i] = zero;
      }
      for (int t = 0; t < count; t += 2) {
        // Rows of the horizontal pass have slack behind them; a weight behind count is zero.
        const uint8_t* row0 = first + static_cast<size_t>(t) * src_stride + x;
        const uint8_t* row1 = first + static_cast<size_t>(std::min(t + 1, count - 1)) * src_stride + x;
        const __m256i bytes0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row0));
        const __m256i bytes1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row1));
        const __m256i lower = _mm256_unpacklo_epi8(bytes0, bytes1), upper = _mm256_unpackhi_epi8(bytes0, bytes1);
        const __m256i pairs[4] = {_mm256_unpacklo_epi8(lower, zero), _mm256_unpackhi_epi8(lower, zero),
                                  _mm256_unpacklo_epi8(upper, zero), _mm256_unpackhi_epi8(upper, zero)};
        const WeightPair weight = pair_of(weights[t], weights[t + 1]);
        for (int i = 0; i < 4; ++i) {
          low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pairs[i], weight.low));
          high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pairs[i], weight.high));
        }
      }
      const __m256i pixels = _mm256_packus_epi16(_mm256_packs_epi32(join(low[0], high[0]), join(low[1], high[1])),
                                                 _mm256_packs_epi32(join(low[2], high[2]), join(low[3], high[3])));
      if (bytes - x >= kVectorBytes) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), pixels);
      } else {
        alignas(32) uint8_t tail[kVectorBytes];
        _mm256_store_si256(reinterpret_cast<__m256i*>(tail), pixels);
        std::memcpy(out + x, tail, bytes - x);
      }
    }
  }
}

}  // namespace resflow::resize_kernels
