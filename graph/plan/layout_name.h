// The short name of a layout as oneDNN writes it: "nchw", "nhwc", "nChw16c", "nc"; what is not f32 says so: "nhwc u8".
#pragma once

#include <string>

#include "ops/tensor.h"

namespace resflow {

std::string layout_name(const Desc& desc);

}  // namespace resflow
