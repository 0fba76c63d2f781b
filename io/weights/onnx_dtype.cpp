#include "io/weights/onnx_dtype.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace resflow {
namespace {

constexpr std::array<std::pair<DType, int32_t>, 7> kDTypes = {{
    {DType::kU8, onnx::TensorProto::UINT8},
    {DType::kI32, onnx::TensorProto::INT32},
    {DType::kI64, onnx::TensorProto::INT64},
    {DType::kBF16, onnx::TensorProto::BFLOAT16},
    {DType::kF16, onnx::TensorProto::FLOAT16},
    {DType::kF32, onnx::TensorProto::FLOAT},
    {DType::kF64, onnx::TensorProto::DOUBLE},
}};

}  // namespace

int32_t onnx_dtype(DType dtype) {
  return std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& row) { return row.first == dtype; })->second;
}

std::optional<DType> dtype_of_onnx(int32_t number) {
  for (const auto& [dtype, onnx] : kDTypes)
    if (onnx == number) return dtype;
  return std::nullopt;
}

std::string onnx_dtype_name(int32_t number) {
  if (!onnx::TensorProto::DataType_IsValid(number)) return "dtype " + std::to_string(number);
  std::string name = onnx::TensorProto::DataType_Name(number);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace resflow
