#include "apps/train/run_parts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "graph/model/freeze.h"
#include "io/core/error.h"

namespace resflow {
namespace {

constexpr const char* kDataOption = "DATA";  // names of the data sets' identities among the saved options
constexpr const char* kValOption = "validation data";

std::string saved_option(const SavedOptions& saved, const std::string& name) {
  const auto found = std::find_if(saved.begin(), saved.end(), [&](const auto& o) { return o.first == name; });
  return found == saved.end() ? "" : found->second;
}

}  // namespace

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

std::string class_counts(const Dataset& dataset) {
  if (dataset.classes.size() > 8) return {};
  const std::vector<int64_t> counts = class_sizes(dataset);
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) parts.push_back(fmt::format("{} {}", dataset.classes[i], counts[i]));
  return fmt::format(" ({})", fmt::join(parts, ", "));
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

bool all_finite(std::span<const NamedArray> arrays) {
  return std::all_of(arrays.begin(), arrays.end(), [](const NamedArray& named) {
    if (named.array.dtype() != DType::kF32) return true;
    const auto values = named.array.values<float>();
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  });
}

LossOptions loss_options_of(const TrainOptions& options, const Dataset& train) {
  LossOptions loss = {.label_smoothing = options.label_smoothing, .class_weights = {}};
  if (options.class_weights == "balanced") loss.class_weights = balanced_class_weights(train);
  return loss;
}

SavedOptions saved_options(const TrainOptions& options, const TrainingData& data) {
  SavedOptions saved = saved_options(options);
  saved.emplace_back(kDataOption, data.identity);
  saved.emplace_back(kValOption, data.val_identity);
  return saved;
}

void check_same_data(const SavedOptions& saved, const TrainingData& data) {
  const auto check = [&](const char* name, const std::string& root, const std::string& now) {
    const std::string before = saved_option(saved, name);
    if (before != now)
      throw usage_error(
          "--resume: {} is not the run's: it was {}, {} now is {}; give the run's data, or start anew "
          "with another --out",
          name, before.empty() ? "none" : before, root.empty() ? "it" : root, now.empty() ? "none" : now);
  };
  check(kDataOption, data.train_root, data.identity);
  check(kValOption, data.val_root, data.val_identity);
}

}  // namespace resflow
