#include "graph/plan/calibration.h"

#include <algorithm>
#include <cmath>

#include "graph/plan/program.h"
#include "io/core/error.h"

namespace resflow {

Calibrator::Calibrator(Model& model, int64_t batch, int64_t height, int64_t width)
    : model_(model), plan_(model, {.batch = batch, .height = height, .width = width, .mode = Mode::kEval}) {
  if (has_nodes<GroupNormNode>(model.graph()))
    throw usage_error("{}: a network with group norm is scored in f32 alone: it cannot be quantized",
                      model.description().architecture);
}

void Calibrator::observe(const float* pixels, int64_t rows) {
  plan_.forward(pixels, rows, [&](const FusedNode& node, const Desc& desc, const float* values) {
    if (is_quantized(model_.graph(), node)) note(node, desc, values, rows);
  });
  pictures_ += rows;
}

// Layouts have pictures outermost; channels that pad a block are zeros, which no range leaves out.
void Calibrator::note(const FusedNode& node, const Desc& desc, const float* values, int64_t rows) {
  const int64_t of_picture = static_cast<int64_t>(desc.get_size() / sizeof(float)) / desc.get_dims()[0];
  const std::span<const float> seen(values, static_cast<size_t>(of_picture * rows));
  Range& range = ranges_[node.first];
  float low = range.low, high = range.high;
  bool finite = true;
  for (const float value : seen) {
    low = std::min(low, value);
    high = std::max(high, value);
    finite = finite && std::isfinite(value);
  }
  range = {low, high, range.finite && finite};
}

Quantization Calibrator::result() const {
  if (pictures_ == 0) throw data_error("no picture to learn the ranges of activations from");
  Quantization quantization{.pictures = pictures_, .activations = {}};
  for (const auto& [id, range] : ranges_) {
    const std::string& name = model_.graph().nodes()[static_cast<size_t>(id)].name;
    if (!range.finite)
      throw data_error("the activation {} is not finite: was the model trained with too high a learning rate?", name);
    quantization.activations.push_back({name, range.low, range.high});
  }
  return quantization;
}

}  // namespace resflow
