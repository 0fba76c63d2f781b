#include "apps/train/settings.h"

#include "graph/model/freeze.h"
#include "io/core/error.h"

namespace resflow {
void freeze_parameters(Model& model, const TrainOptions& options) {
  if (options.freeze.empty()) return;
  try {
    freeze(model, options.freeze, options.freeze_bn == "eval" ? FreezeBatchNorm::kEval : FreezeBatchNorm::kTrain);
  } catch (const Error& e) {
    throw usage_error("{}: {}", setting("freeze"), e.marked());
  }
}

void group_parameters(Model& model, const TrainOptions& options) {
  const bool layer_wise = options.optimizer == "lars" || options.optimizer == "lamb";
  for (const auto& parameter : model.parameters()) {
    if (!parameter->learnt) continue;
    if (options.no_decay_norm_bias || layer_wise) parameter->decay = parameter->value.dims().size() > 1;
    if (options.lr_backbone >= 0 && !parameter->name.starts_with("fc."))
      parameter->lr_scale = options.lr_backbone / options.lr;
  }
}

std::vector<float> balanced_class_weights(const Dataset& dataset) {
  const std::vector<int64_t> counts = class_sizes(dataset);
  const auto all = static_cast<double>(dataset.samples.size()), classes = static_cast<double>(counts.size());
  std::vector<float> weights;
  weights.reserve(counts.size());
  for (const int64_t count : counts)
    weights.push_back(static_cast<float>(all / (classes * static_cast<double>(count))));
  return weights;
}

LossOptions loss_options_of(const TrainOptions& options, const Dataset& train) {
  LossOptions loss = {.label_smoothing = options.label_smoothing, .class_weights = {}};
  if (options.class_weights == "balanced") loss.class_weights = balanced_class_weights(train);
  return loss;
}

}  // namespace resflow
