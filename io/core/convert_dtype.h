// Values of one dtype as another.
#pragma once

#include "io/core/array.h"

namespace resflow {

// f16, bf16 and f64 as f32, u8 and i32 as i64, where they are not so already: what a model takes. f16 and bf16 are
// exact; f64 is rounded to the nearest, ties to even, and beyond f32's range becomes infinite. NaN stays NaN.
Array as_model_dtype(Array array);

}  // namespace resflow
