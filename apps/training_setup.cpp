#include "apps/training_setup.h"

#include <algorithm>

#include "graph/freeze.h"
#include "io/error.h"

namespace resflow {

Recipe train_recipe(int image_size, const Preprocessing& evaluation) {
  Recipe recipe = Recipe::train(image_size);
  const Recipe normalized = Recipe::eval(evaluation);
  std::copy_n(normalized.mean, 3, recipe.mean);
  std::copy_n(normalized.std, 3, recipe.std);
  return recipe;
}

void freeze_parameters(Model& model, const TrainOptions& options) {
  if (options.freeze.empty()) return;
  try {
    freeze(model, options.freeze, options.freeze_bn == "eval" ? FreezeBatchNorm::kEval : FreezeBatchNorm::kTrain);
  } catch (const Error& e) {
    throw usage_error("--freeze: {}", e.what());
  }
}

void group_parameters(Model& model, const TrainOptions& options) {
  for (const auto& parameter : model.parameters()) {
    if (!parameter->learnt) continue;
    if (options.no_decay_norm_bias) parameter->decay = parameter->value.dims().size() > 1;
    if (options.lr_backbone >= 0 && !parameter->name.starts_with("fc."))
      parameter->lr_scale = options.lr_backbone / options.lr;
  }
}

LossOptions loss_options(const TrainOptions& options, const Dataset& train) {
  LossOptions loss = {.label_smoothing = options.label_smoothing, .class_weights = {}};
  if (options.class_weights != "balanced") return loss;
  std::vector<double> counts(train.classes.size());
  for (const Sample& sample : train.samples) ++counts[static_cast<size_t>(sample.label)];
  const auto all = static_cast<double>(train.samples.size());
  for (const double count : counts)
    loss.class_weights.push_back(static_cast<float>(all / (static_cast<double>(counts.size()) * count)));
  return loss;
}

}  // namespace resflow
