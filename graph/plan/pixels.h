// A batch's pixels on their way into a plan: from planar f32 to the layout and the storage that the first op reads, in
// one pass.
#pragma once

#include "ops/precision.h"
#include "ops/tensor.h"

namespace resflow {

class Pixels {
 public:
  // f32 and bf16 in nchw, bf16 and s8 in nhwc. Others take a reorder.
  static bool can_write(const Desc& desc);

  Pixels() = default;
  // REQUIRES: can_write(desc). Real values are `scale` times the written ones.
  Pixels(const Desc& desc, float scale);

  // Rows [0, rows) of pixels (rows,3,H,W) into the buffer, and zeros for the rest of the batch.
  // Call inside Compute::run.
  void write(const float* pixels, int64_t rows, void* buffer) const;

 private:
  void write_line(const float* picture, int64_t y, std::byte* to) const;

  dnnl::memory::data_type type_ = dnnl::memory::data_type::f32;
  bool interleaved_ = false;
  float inverse_scale_ = 1;
  int64_t batch_ = 0, channels_ = 0, height_ = 0, width_ = 0;
};

}  // namespace resflow
