#include "apps/train/saved_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <sstream>
#include <string_view>
#include <type_traits>

#include "apps/options/config_file.h"
#include "apps/train/augment_options.h"
#include "apps/train/option_conditions.h"
#include "apps/train/option_field.h"
#include "apps/train/toml_value.h"
#include "io/core/error.h"

namespace resflow {
namespace {

using Field = OptionField<TrainOptions>;

template <class T>
Field field(const char* name, bool fixed, T TrainOptions::*member) {
  return option_field<TrainOptions>(name, fixed, member);
}
template <class T>
Field list_field(const char* name, std::vector<T> TrainOptions::*member) {
  return option_list_field<TrainOptions>(name, true, member);
}

std::vector<Field> all_fields() {
  std::vector<Field> all = {
      field("--model", true, &TrainOptions::model),
      field("--weights", true, &TrainOptions::weights),
      list_field("--weights-skip", &TrainOptions::weights_skip),
      field("--mode", true, &TrainOptions::mode),
      list_field("--freeze", &TrainOptions::freeze),
      field("--freeze-bn", true, &TrainOptions::freeze_bn),
      field("--batch", true, &TrainOptions::batch),
      field("--image-size", true, &TrainOptions::image_size),
      field("--seed", true, &TrainOptions::seed),
      field("--precision", true, &TrainOptions::precision),
      field("--force-precision", false, &TrainOptions::force_precision),
      field("--optimizer", true, &TrainOptions::optimizer),
      field("--lr", true, &TrainOptions::lr),
      field("--momentum", true, &TrainOptions::momentum),
      field("--nesterov", true, &TrainOptions::nesterov),
      field("--weight-decay", true, &TrainOptions::weight_decay),
      field("--label-smoothing", true, &TrainOptions::label_smoothing),
      field("--no-decay-norm-bias", true, &TrainOptions::no_decay_norm_bias),
      field("--lr-backbone", true, &TrainOptions::lr_backbone),
      field("--schedule", true, &TrainOptions::schedule),
      field("--warmup-epochs", true, &TrainOptions::warmup_epochs),
      field("--step-size", true, &TrainOptions::step_size),
      field("--patience", true, &TrainOptions::patience),
      list_field("--milestones", &TrainOptions::milestones),
      field("--gamma", true, &TrainOptions::gamma),
      field("--min-lr", true, &TrainOptions::min_lr),
      field("--class-weights", true, &TrainOptions::class_weights),
      field("--clip-norm", true, &TrainOptions::clip_norm),
      field("--accumulate", true, &TrainOptions::accumulate),
      field("--ema", true, &TrainOptions::ema),
      field("--sampler", true, &TrainOptions::sampler),
      field("--exif", true, &TrainOptions::exif),
      field("--decode", true, &TrainOptions::decode),
      field("--augment-copies", true, &TrainOptions::augment_copies),
      field("--svm-c", true, &TrainOptions::svm_c),
      field("--svm-folds", true, &TrainOptions::svm_folds),
      field("--feature-cache", false, &TrainOptions::feature_cache),
      field("--early-stop", false, &TrainOptions::early_stop),
      field("--epochs", false, &TrainOptions::epochs),
      field("--threads", false, &TrainOptions::threads),
      field("--pin", false, &TrainOptions::pin),
      field("--save-every", false, &TrainOptions::save_every),
      field("--on-error", false, &TrainOptions::on_error),
  };
  for (const auto& augment : augment_fields()) all.push_back(option_of_part(augment, &TrainOptions::augment));
  return all;
}

const std::vector<Field>& fields() {
  static const std::vector<Field> all = all_fields();
  return all;
}

}  // namespace

SavedOptions saved_options(const TrainOptions& options) {
  SavedOptions saved;
  for (const Field& f : fields()) saved.emplace_back(f.name, f.get(options));
  return saved;
}

void adopt_saved(TrainOptions& options, const SavedOptions& saved) {
  std::vector<std::string> conflicts;
  for (const Field& f : fields()) {
    const auto found = std::find_if(saved.begin(), saved.end(), [&](const auto& o) { return o.first == f.name; });
    // A run from before there was the option had what is its default now.
    const std::string before = found == saved.end() ? f.get(TrainOptions{}) : found->second;
    if (!options.given.contains(f.name))
      f.set(options, before);
    else if (f.fixed && f.get(options) != before)
      conflicts.push_back(
          fmt::format("{} was {}, now {}", f.name, before.empty() ? "not given" : before, f.get(options)));
  }
  // Half a cosine over 10 epochs and half one over 20 make none.
  const bool whole = options.schedule == "cosine" || options.schedule == "onecycle";
  const auto epochs = std::find_if(saved.begin(), saved.end(), [](const auto& o) { return o.first == "--epochs"; });
  if (whole && options.given.contains("--epochs") && epochs != saved.end() &&
      epochs->second != fmt::format("{}", options.epochs))
    conflicts.push_back(fmt::format("--epochs was {} and is part of --schedule {}, now {}", epochs->second,
                                    options.schedule, options.epochs));
  if (!conflicts.empty())
    throw usage_error(
        "--resume: the run began with other options: {}; leave them out, or start anew with another --out",
        fmt::join(conflicts, "; "));
}

std::string train_config(const TrainOptions& options) {
  std::string text =
      "# All that this run was told, and what stood for the rest. It is repeated by\n"
      "#   resflow train --config THIS-FILE --out ANOTHER-FOLDER\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  // From any folder.
  const auto absolute = [](const std::string& path) { return toml_value(std::filesystem::absolute(path).string()); };
  add("data", absolute(options.data));
  if (!options.val.empty()) add("val", absolute(options.val));
  for (const Field& f : fields()) {
    const std::string value = f.toml(options);
    // Not given, and nothing stands for it: "" and [] would be given, and so would -1.
    const bool absent = value == "\"\"" || value == "[]" || (f.name == "--lr-backbone" && options.lr_backbone < 0) ||
                        (f.name == "--svm-c" && options.svm_c == 0);
    if (!absent && why_useless(options, f.name).empty()) add(std::string_view(f.name).substr(2), value);
  }
  return text;
}

}  // namespace resflow
