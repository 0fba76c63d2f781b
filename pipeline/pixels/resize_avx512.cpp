// The resampling passes with AVX-512 VBMI and VNNI.
//
// vpdpbusd adds four products of u8 x s8 into a 32-bit lane. A weight of 24 bits is three signed digits of
// base 256, w = d0 + 256 d1 + 65536 d2, so that three such instructions apply four taps exactly.
#include <algorithm>
#include <cstring>

#include "pipeline/pixels/avx512.h"
#include "pipeline/pixels/resize_kernels.h"

namespace resflow::resize_kernels {
namespace {

constexpr int kDigits = 3;
constexpr int kTaps = 4;        // of one vpdpbusd
constexpr int kMostPixels = 5;  // in a vector: 15 of its 16 lanes
constexpr int kVectorBytes = 64;
constexpr int kRows = 4;  // that share one load of the tables

// The digits of four weights: lane d holds the four bytes of digit d.
RESFLOW_AVX512_INLINE __m128i digits_of(const int32_t* weights) {
  const __m128i round = _mm_set1_epi32(128);
  const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
  const __m128i middle = _mm_srai_epi32(_mm_add_epi32(low, round), 8);
  const __m128i high = _mm_srai_epi32(_mm_add_epi32(middle, round), 8);
  const __m128i bytes = _mm_setr_epi8(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  const __m128i low_middle = _mm_unpacklo_epi32(_mm_shuffle_epi8(low, bytes), _mm_shuffle_epi8(middle, bytes));
  return _mm_unpacklo_epi64(low_middle, _mm_shuffle_epi8(high, bytes));
}

// The sum of a lane's digits, rounded to whole units.
RESFLOW_AVX512_INLINE __m512i join(__m512i sum0, __m512i sum1, __m512i sum2) {
  const __m512i high = _mm512_add_epi32(_mm512_slli_epi32(sum2, 16), _mm512_slli_epi32(sum1, 8));
  return _mm512_srai_epi32(_mm512_add_epi32(high, sum0), kFractionBits);
}

RESFLOW_AVX512_INLINE __mmask64 first_bytes(int count) {
  return count >= kVectorBytes ? ~__mmask64{0} : count <= 0 ? 0 : (__mmask64{1} << count) - 1;
}

// What a group of output pixels needs for one quad of taps.
struct alignas(64) GroupTable {
  uint8_t index[kVectorBytes];  // where each lane's four taps stand in the window
  int8_t digits[kDigits][kVectorBytes];
};

// How many pixels fit: a window of 64 bytes must hold four taps of each. Five up to a scale of about 4.
int group_size(const ResampleAxis& axis) {
  const auto fits = [&axis](int group) {
    for (int x = 0; x < axis.size(); x += group) {
      const int last = std::min(x + group, axis.size()) - 1;
      if ((axis.first[static_cast<size_t>(last)] - axis.first[static_cast<size_t>(x)] + kTaps) * 3 > kVectorBytes)
        return false;
    }
    return true;
  };
  int group = kMostPixels;
  while (group > 1 && !fits(group)) --group;
  return group;
}

}  // namespace

RESFLOW_AVX512 void horizontal_avx512(const Image& source, const ResampleAxis& axis, uint8_t* dst, size_t stride,
                                      std::vector<uint8_t>& scratch) {
  const int group = group_size(axis);
  const int groups = (axis.size() + group - 1) / group;
  const int quads = axis.stride / kTaps;
  const size_t bytes = static_cast<size_t>(groups) * static_cast<size_t>(quads) * sizeof(GroupTable);
  if (scratch.size() < bytes + alignof(GroupTable)) scratch.resize(bytes + alignof(GroupTable));
  const auto address = reinterpret_cast<uintptr_t>(scratch.data());
  auto* tables =
      reinterpret_cast<GroupTable*>((address + alignof(GroupTable) - 1) / alignof(GroupTable) * alignof(GroupTable));
  std::memset(static_cast<void*>(tables), 0, bytes);
  for (int g = 0; g < groups; ++g) {
    const int begin = g * group;
    for (int q = 0; q < quads; ++q) {
      GroupTable& table = tables[g * quads + q];
      for (int p = 0; p < std::min(group, axis.size() - begin); ++p) {
        const size_t x = static_cast<size_t>(begin) + static_cast<size_t>(p);
        const __m128i digits =
            digits_of(axis.weights.data() + x * static_cast<size_t>(axis.stride) + static_cast<size_t>(q) * kTaps);
        const int offset = (axis.first[x] - axis.first[static_cast<size_t>(begin)]) * 3;
        for (int channel = 0; channel < 3; ++channel) {
          const size_t lane = static_cast<size_t>(p * 3 + channel) * 4;
          const uint32_t taps = 0x09060300U + 0x01010101U * static_cast<uint32_t>(offset + channel);
          std::memcpy(table.index + lane, &taps, 4);
          const int words[kDigits] = {_mm_extract_epi32(digits, 0), _mm_extract_epi32(digits, 1),
                                      _mm_extract_epi32(digits, 2)};
          for (int d = 0; d < kDigits; ++d) std::memcpy(table.digits[d] + lane, &words[d], 4);
        }
      }
    }
  }

  const auto row_bytes = static_cast<int>(source.row_bytes());
  for (int y = 0; y < source.height(); y += kRows) {
    const uint8_t* rows[kRows];
    uint8_t* out[kRows];
    for (int r = 0; r < kRows; ++r) {
      const int row = std::min(y + r, source.height() - 1);  // the last one again rather than a special case
      rows[r] = source.row(row);
      out[r] = dst + static_cast<size_t>(row) * stride;
    }
    for (int g = 0; g < groups; ++g) {
      __m512i sums[kRows][kDigits];
      for (auto& sum : sums) {
        sum[0] = _mm512_set1_epi32(kHalf);
        sum[1] = sum[2] = _mm512_setzero_si512();
      }
      const int window = axis.first[static_cast<size_t>(g) * static_cast<size_t>(group)] * 3;
      for (int q = 0; q < quads; ++q) {
        const GroupTable& table = tables[g * quads + q];
        const __m512i index = _mm512_load_si512(table.index);
        const __m512i digit0 = _mm512_load_si512(table.digits[0]);
        const __m512i digit1 = _mm512_load_si512(table.digits[1]);
        const __m512i digit2 = _mm512_load_si512(table.digits[2]);
        const int begin = std::min(window + q * kTaps * 3, row_bytes);
        const __mmask64 inside = first_bytes(row_bytes - begin);
        for (int r = 0; r < kRows; ++r) {
          const __m512i taps = _mm512_permutexvar_epi8(index, _mm512_maskz_loadu_epi8(inside, rows[r] + begin));
          sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], taps, digit0);
          sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], taps, digit1);
          sums[r][2] = _mm512_dpbusd_epi32(sums[r][2], taps, digit2);
        }
      }
      for (int r = 0; r < kRows; ++r) {
        // The conversion takes its source for unsigned: what is below 0 would be white.
        const __m512i words = _mm512_max_epi32(join(sums[r][0], sums[r][1], sums[r][2]), _mm512_setzero_si512());
        const __m128i pixels = _mm512_cvtusepi32_epi8(words);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out[r] + static_cast<size_t>(g) * group * 3), pixels);
      }
    }
  }
}

RESFLOW_AVX512 void vertical_avx512(const uint8_t* src, size_t src_stride, const ResampleAxis& axis, size_t bytes,
                                    uint8_t* dst, size_t dst_stride) {
  const int quads = axis.stride / kTaps;
  for (int y = 0; y < axis.size(); ++y) {
    const int count = axis.count[static_cast<size_t>(y)];
    const uint8_t* first = src + static_cast<size_t>(axis.first[static_cast<size_t>(y)]) * src_stride;
    for (size_t x = 0; x < bytes; x += kVectorBytes) {
      const __mmask64 inside = first_bytes(static_cast<int>(std::min<size_t>(bytes - x, kVectorBytes)));
      __m512i sums[4][kDigits];
      for (auto& sum : sums) {
        sum[0] = _mm512_set1_epi32(kHalf);
        sum[1] = sum[2] = _mm512_setzero_si512();
      }
      for (int q = 0; q < quads && q * kTaps < count; ++q) {
        __m512i rows[kTaps];
        for (int t = 0; t < kTaps; ++t) {
          // Weights behind count are zero: any row will do.
          const int row = std::min(q * kTaps + t, count - 1);
          rows[t] = _mm512_maskz_loadu_epi8(inside, first + static_cast<size_t>(row) * src_stride + x);
        }
        // Four rows to four bytes a lane; packing below undoes the order of the unpacking.
        const __m512i low01 = _mm512_unpacklo_epi8(rows[0], rows[1]), high01 = _mm512_unpackhi_epi8(rows[0], rows[1]);
        const __m512i low23 = _mm512_unpacklo_epi8(rows[2], rows[3]), high23 = _mm512_unpackhi_epi8(rows[2], rows[3]);
        const __m512i taps[4] = {_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                                 _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
        const __m128i digits =
            digits_of(axis.weights.data() + static_cast<size_t>(y) * static_cast<size_t>(axis.stride) +
                      static_cast<size_t>(q) * kTaps);
        const __m512i digit0 = _mm512_broadcastd_epi32(digits);
        const __m512i digit1 = _mm512_broadcastd_epi32(_mm_srli_si128(digits, 4));
        const __m512i digit2 = _mm512_broadcastd_epi32(_mm_srli_si128(digits, 8));
        for (int i = 0; i < 4; ++i) {
          sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], taps[i], digit0);
          sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], taps[i], digit1);
          sums[i][2] = _mm512_dpbusd_epi32(sums[i][2], taps[i], digit2);
        }
      }
      __m512i words[4];
      for (int i = 0; i < 4; ++i) words[i] = join(sums[i][0], sums[i][1], sums[i][2]);
      const __m512i pixels =
          _mm512_packus_epi16(_mm512_packs_epi32(words[0], words[1]), _mm512_packs_epi32(words[2], words[3]));
      _mm512_mask_storeu_epi8(dst + static_cast<size_t>(y) * dst_stride + x, inside, pixels);
    }
  }
}

}  // namespace resflow::resize_kernels
