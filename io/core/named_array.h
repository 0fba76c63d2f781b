// Tensors by name: what every file of weights is a list of.
#pragma once

#include <string>
#include <vector>

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

// Tensors that stand together in a file: one dictionary of it.
struct TensorGroup {
  std::string key;  // of the dictionary within the file's, "state_dict", "ema.model"; empty: the file's own
  std::vector<TensorEntry> tensors;
};

}  // namespace resflow
