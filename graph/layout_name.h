// The short name of a layout as oneDNN writes it: "nchw", "nhwc", "nChw16c", "nc".
#pragma once

#include <string>

#include "ops/tensor.h"

namespace resflow {

std::string layout_name(const Desc& desc);

}  // namespace resflow
