// ONNX's numbers for dtypes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/core/array.h"

namespace resflow {

int32_t onnx_dtype(DType dtype);
std::optional<DType> dtype_of_onnx(int32_t number);  // nothing where resflow has no such dtype
std::string onnx_dtype_name(int32_t number);         // "int8"; "dtype 99" for one that ONNX has none for

}  // namespace resflow
