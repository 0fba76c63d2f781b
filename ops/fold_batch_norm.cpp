#include "ops/fold_batch_norm.h"

#include <cmath>

#include "io/core/error.h"

namespace resflow {

void check_foldable(const BatchNormParameters& norm, int64_t channels, const std::string& conv) {
  for (const Parameter* parameter : {&norm.weight, &norm.bias, &norm.running_mean, &norm.running_var})
    if (parameter->value.dims() != Dims{channels})
      throw usage_error("{}: {} does not fit {} channels of {}", parameter->name, to_string(parameter->value.dims()),
                        channels, conv);
}

FoldedBatchNorm fold_batch_norm(const Parameter& weight, const BatchNormParameters& norm, double eps,
                                const Compute& compute) {
  const Array gamma = norm.weight.value.export_to_array(compute);
  const Array beta = norm.bias.value.export_to_array(compute);
  const Array mean = norm.running_mean.value.export_to_array(compute);
  const Array var = norm.running_var.value.export_to_array(compute);
  FoldedBatchNorm folded{.weights = weight.value.export_to_array(compute), .bias = {}};
  const size_t channels = gamma.values<float>().size();
  const size_t row = folded.weights.values<float>().size() / channels;
  float* w = folded.weights.values<float>().data();
  folded.bias.resize(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double scale = gamma.values<float>()[c] / std::sqrt(static_cast<double>(var.values<float>()[c]) + eps);
    folded.bias[c] = static_cast<float>(beta.values<float>()[c] - mean.values<float>()[c] * scale);
    for (size_t i = 0; i < row; ++i) w[c * row + i] = static_cast<float>(w[c * row + i] * scale);
  }
  return folded;
}

}  // namespace resflow
