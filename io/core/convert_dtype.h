// Values of one dtype as another.
#pragma once

#include "io/core/array.h"

namespace resflow {

// f16, bf16 and f64 as f32, u8 and i32 as i64, where they are not so already: what a model takes. f16 and bf16 are
// exact; f64 is rounded to the nearest, ties to even, and beyond f32's range becomes infinite. NaN stays NaN.
Array as_model_dtype(Array array);

// The same, as `dtype`, f32 or i64, and `dims`: what a model has in its place. Floats that become integers are rounded
// to the nearest; NaN becomes 0. REQUIRES: the array has as many elements as `dims`, and is no integer where f32 is
// wanted; else Error{kInternal}.
Array as_model_tensor(Array array, DType dtype, const Dims& dims);

}  // namespace resflow
