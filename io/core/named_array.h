// Tensors by name: what every file of weights is a list of.
#pragma once

#include <string>

#include "io/core/array.h"

namespace resflow {

struct NamedArray {
  std::string name;
  Array array;
};

// A tensor as a file's header describes it, without its values.
struct TensorEntry {
  std::string name;
  DType dtype = DType::kF32;
  Dims dims;
};

}  // namespace resflow
