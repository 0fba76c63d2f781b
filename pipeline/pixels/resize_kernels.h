// The two passes of pipeline/pixels/resize.h in each instruction set. All give the same bits: a weight is an integer
// of less than 2^23 either side of 0, those of a position are together less than 2^23 in amount, a pixel is one of 8
// bits, and their sums are exact in 32 bits however they are split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/images/image.h"
#include "pipeline/pixels/resize.h"

namespace resflow::resize_kernels {

inline constexpr int kFractionBits = 22;
inline constexpr int32_t kHalf = 1 << (kFractionBits - 1);

// Bytes behind the last pixel of a row of the horizontal pass' output that a kernel may overwrite.
inline constexpr size_t kRowSlack = 64;

// dst row y = source row y resampled; dst rows are `stride` >= axis.size() * 3 + kRowSlack bytes apart.
using Horizontal = void(const Image& source, const ResampleAxis& axis, uint8_t* dst, size_t stride,
                        std::vector<uint8_t>& scratch);

// dst row i, bytes [0, bytes) = the weighted sum of src rows; writes nothing else.
using Vertical = void(const uint8_t* src, size_t src_stride, const ResampleAxis& axis, size_t bytes, uint8_t* dst,
                      size_t dst_stride);

Horizontal horizontal_plain, horizontal_avx2, horizontal_avx512;
Vertical vertical_plain, vertical_avx2, vertical_avx512;

}  // namespace resflow::resize_kernels
