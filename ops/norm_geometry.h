// How what a norm reads and writes lies in memory. Internal to ops/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ops/kernels/simd.h"
#include "ops/tensor.h"

namespace resflow {

// (N,C,H,W) in memory: `units` runs of `rows` rows; the channels of unit u start at (u % groups) width. Where the
// layout is nhwc, there is one unit.
struct NormGeometry {
  int64_t units = 1, groups = 1, rows = 0, stride = 0, width = 0;
  int64_t channels() const { return groups * width; }  // padding included
};

// `desc` where norms have a geometry for its layout (nhwc, blocks of 8 or 16 channels), else the same in nhwc.
Desc norm_desc(const Desc& desc);
NormGeometry norm_geometry(const Desc& desc);  // REQUIRES: norm_desc(desc) == desc

// The instruction set for rows of `width`: a vector must not be wider than a row.
Isa norm_isa(Isa isa, int64_t width);

template <class Stored>
constexpr dnnl::memory::data_type norm_type() {
  return std::is_same_v<Stored, float> ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

// Results of this size are written past the caches: before the next op reads them they would have left anyway, and
// a common store reads its line first.
inline constexpr size_t kNormPastCaches = size_t{12} << 20;

}  // namespace resflow
