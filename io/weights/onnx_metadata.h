// What an ONNX file says of its model, for programs that know nothing of resflow.
#pragma once

#include "io/weights/model_metadata.h"

namespace resflow {

// to_texts(), where "preprocessing" also says what a byte of a pixel becomes before mean and std, and the channels'
// order: "scale":0.00392156862745098,"channels":"RGB". from_texts() reads it back.
Texts onnx_metadata(const ModelMetadata& metadata);

}  // namespace resflow
