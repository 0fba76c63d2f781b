// What a model holds to a file that numpy.fromfile reads.
#pragma once

#include <fstream>
#include <string>

#include "graph/model/model.h"
#include "tests/support/raw_values.h"

namespace resflow::testing {

// Everything that is f32, in state_dict order.
inline void write_weights(const std::string& path, const Model& model) {
  std::ofstream file(path, std::ios::binary);
  for (const NamedArray& value : model.state())
    if (value.array.dtype() == DType::kF32) append_raw(file, value.array.values<float>());
}

// BN's running statistics, in state_dict order.
inline void write_statistics(const std::string& path, const Model& model) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& parameter : model.parameters()) {
    if (parameter->learnt || parameter->is_count) continue;
    const Array value = parameter->value.export_to_array(model.compute());
    append_raw(file, value.values<float>());
  }
}

// Zeros for what is frozen.
inline void write_gradients(const std::string& path, const Model& model) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& parameter : model.parameters()) {
    if (!parameter->learnt) continue;
    const Array gradient = parameter->gradient ? parameter->gradient.export_to_array(model.compute())
                                               : Array(DType::kF32, parameter->value.dims());
    append_raw(file, gradient.values<float>());
  }
}

}  // namespace resflow::testing
