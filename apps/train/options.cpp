#include "apps/train/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

#include "apps/machine/threads.h"
#include "apps/model/precision.h"
#include "apps/train/folder.h"
#include "apps/train/option_conditions.h"
#include "apps/train/option_table.h"
#include "apps/train/saved_options.h"
#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"
#include "pipeline/pixels/resize.h"

namespace resflow {
namespace {

constexpr double kFitsTheOthers = -1;  // what a number is that nobody gave
constexpr double kLargest = 1e6;       // of a rate
constexpr int64_t kMostEpochs = 1'000'000'000;

void check_patterns(const char* option, const std::vector<std::string>& patterns, const char* example) {
  for (const std::string& pattern : patterns)
    if (pattern.empty() || pattern.find_first_of(" \t\r\n") != std::string::npos)
      throw usage_error("{} '{}': is no pattern of parameter names like '{}'", setting(option), pattern, example);
}

void check_schedule(const TrainOptions& o) {
  check(o.schedule_options());
  if (o.early_stop < 0) throw usage_error("{} is {}: wanted at least 0", setting("early_stop"), o.early_stop);
  if (o.class_weights != "none" && o.class_weights != "balanced")
    throw usage_error("{} {}: wanted none or balanced", setting("class_weights"), o.class_weights);
  if ((o.given.contains("lr_backbone") || o.lr_backbone != kFitsTheOthers) &&
      !(o.lr_backbone >= 0 && o.lr_backbone <= kLargest && o.lr > 0))
    throw usage_error("{} is {} beside {} {}: wanted a number from 0 up, and an {} above 0", setting("lr_backbone"),
                      o.lr_backbone, setting("lr"), o.lr, setting("lr"));
}

// Modes that run on features have no use for much of what trains a network: what would do nothing is refused.
void check_mode_options(const TrainOptions& o) {
  if (o.augment_copies < 0)
    throw usage_error("{} is {}: wanted at least 0", setting("augment_copies"), o.augment_copies);
  if ((o.given.contains("svm_c") || o.svm_c != 0) && !(o.svm_c > 0 && o.svm_c <= 1e9))
    throw usage_error("{} is {}: wanted a number above 0", setting("svm_c"), o.svm_c);
  if (o.svm_folds < 2) throw usage_error("{} is {}: wanted at least 2", setting("svm_folds"), o.svm_folds);
  if (o.given.contains("feature_cache") && o.feature_cache.empty())
    throw usage_error("{} is empty: wanted a folder", setting("feature_cache"));
}

// What an optimizer does where nobody says otherwise.
struct OptimizerDefaults {
  const char* name;
  double lr, momentum, weight_decay, clip_norm;
};
// PyTorch's; sgd's momentum and decay are those of torchvision's training, lars's and lamb's numbers timm's.
constexpr OptimizerDefaults kOptimizers[] = {
    {"adam", 1e-3, 0, 0, 0},    {"adamw", 1e-3, 0, 1e-2, 0}, {"sgd", 0.1, 0.9, 1e-4, 0},
    {"rmsprop", 1e-2, 0, 0, 0}, {"lars", 1.0, 0.9, 1e-4, 0}, {"lamb", 1e-3, 0, 1e-2, 1},
};
constexpr double kLambEps = 1e-6;

const OptimizerDefaults& optimizer_defaults(const TrainOptions& o) {
  for (const OptimizerDefaults& known : kOptimizers)
    if (o.optimizer == known.name) return known;
  throw usage_error("{} {}: wanted {}", setting("optimizer"), o.optimizer, fmt::join(optimizer_names(), ", "));
}

void resolve_optimizer(TrainOptions& o) {
  const OptimizerDefaults& defaults = optimizer_defaults(o);
  const auto resolve_number = [&](const char* name, double& value, double fitting) {
    if ((o.given.contains(name) || value != kFitsTheOthers) && !(value >= 0 && value <= kLargest))
      throw usage_error("{} is {}: wanted a number from 0 up", setting(name), value);
    if (value < 0) value = fitting;
  };
  resolve_number("lr", o.lr, defaults.lr);
  resolve_number("momentum", o.momentum, defaults.momentum);
  resolve_number("weight_decay", o.weight_decay, defaults.weight_decay);
  if ((o.given.contains("clip_norm") || o.clip_norm != kFitsTheOthers) && !(o.clip_norm >= 0))
    throw usage_error("{} is {}: wanted a number from 0 up", setting("clip_norm"), o.clip_norm);
  if (o.clip_norm < 0) o.clip_norm = defaults.clip_norm;
}

// The linear rule and the warm-up of Goyal et al. (arXiv 1706.02677).
void resolve_scale(TrainOptions& o) {
  if (o.scale_lr < 0) throw usage_error("{} is {}: wanted a number of pictures", setting("scale_lr"), o.scale_lr);
  if (o.given.contains("warmup_epochs") && o.warmup_epochs < 0)
    throw usage_error("{} is {}: wanted at least 0", setting("warmup_epochs"), o.warmup_epochs);
  constexpr int64_t kWarmup = 5;
  if (o.warmup_epochs < 0)
    o.warmup_epochs = o.base_lr() > o.lr && o.schedule != "onecycle" ? std::min(kWarmup, o.epochs / 2) : 0;
}

// What network it is, and how large its pictures are. Weights say it where there are some: then what they are is
// compared with what was given when they are read.
void resolve_structure(TrainOptions& o) {
  o.model = model_or_unnamed(o.model, o.given.contains("model"), o.structure);
  const auto& models = all_model_names();
  if (o.model != kUnnamedModel && std::find(models.begin(), models.end(), o.model) == models.end())
    throw usage_error("{} {}: there is no such model, but {}", setting("model"), o.model, fmt::join(models, ", "));
  for (const Option<StructureOptions>& option : structure_option_table())
    if (o.given.contains(option.name) && text_of(option, o.structure) == "0")
      throw usage_error("{} is 0: wanted at least 1", setting(option.name));
  if (!o.weights.empty()) return;
  const ModelDescription description = description_of(o.model, o.structure, 1);
  if (o.image_size == 0) o.image_size = usual_image_size(description);
}

void resolve_mode(TrainOptions& o) {
  if (o.mode.empty()) o.mode = !o.freeze.empty() ? "partial" : !o.weights.empty() ? "finetune" : "scratch";
  if (o.mode != "finetune" && o.mode != "partial" && o.mode != "features" && o.mode != "svm" && o.mode != "scratch")
    throw usage_error("{} {}: wanted finetune, partial, features, svm or scratch", setting("mode"), o.mode);
  if (o.mode == "scratch" && !o.weights.empty())
    throw usage_error("{} scratch starts from random values: leave out {}, or give {} finetune", setting("mode"),
                      setting("weights"), setting("mode"));
  if (o.mode != "scratch" && o.weights.empty())
    throw usage_error("{} {} starts from trained values: give {} (see resflow weights)", setting("mode"), o.mode,
                      setting("weights"));
  if (o.mode == "partial" && o.freeze.empty())
    throw usage_error("{} partial: give what stays as it is, like {} conv1,bn1,layer1,layer2,layer3", setting("mode"),
                      setting("freeze"));
  if (o.mode != "partial" && !o.freeze.empty())
    throw usage_error("{} goes with {} partial, not {}", setting("freeze"), setting("mode"), o.mode);
  check_patterns("freeze", o.freeze, "layer1");
  if (o.freeze_bn != "eval" && o.freeze_bn != "train")
    throw usage_error("{} {}: wanted eval or train", setting("freeze_bn"), o.freeze_bn);
  check_mode_options(o);
}

}  // namespace

double TrainOptions::base_lr() const {
  if (scale_lr == 0) return lr;
  return lr * static_cast<double>(batch) * accumulate / static_cast<double>(scale_lr);
}

OptimizerOptions TrainOptions::optimizer_options() const {
  OptimizerOptions o;
  o.name = optimizer;
  o.lr = base_lr();
  o.momentum = momentum;
  o.nesterov = nesterov;
  o.weight_decay = weight_decay;
  o.clip_norm = clip_norm;
  if (optimizer == "lamb") o.eps = kLambEps;
  return o;
}

namespace {

// How pictures are prepared.
void check_preparation(const TrainOptions& o) {
  const auto check_side = [](const char* name, int side) {
    if (side < 32) throw usage_error("{} is {}: wanted at least 32", setting(name), side);
    if (side > kMaxCrop) throw usage_error("{} is {}: wanted at most {}", setting(name), side, kMaxCrop);
  };
  if (o.image_size != 0 || o.given.contains("image_size")) check_side("image_size", o.image_size);
  if (o.val_size != 0 || o.given.contains("val_size")) check_side("val_size", o.val_size);
  if ((o.crop_pct != 0 || o.given.contains("crop_pct")) && !(o.crop_pct >= 0.1 && o.crop_pct <= 1))
    throw usage_error("{} is {}: wanted 0.1 to 1, the part of the short side that the crop shows", setting("crop_pct"),
                      o.crop_pct);
  if (!o.interpolation.empty()) interpolation_named(o.interpolation);
  if (!o.normalize.empty() && o.normalize != "imagenet" && o.normalize != "data")
    throw usage_error("{} {}: wanted imagenet or data", setting("normalize"), o.normalize);
  const auto check_three = [](const char* name, const std::vector<double>& values, double low) {
    constexpr double kFarthest = 1e6;  // of pixels from 0 to 1
    if (values.size() != 3)
      throw usage_error("{} has {}: wanted three, of red, green and blue", setting(name),
                        plural(values.size(), "value", "values"));
    for (const double value : values)
      if (!(value >= low && value <= kFarthest))
        throw usage_error("{} is {}: wanted {} to {}", setting(name), value, low, kFarthest);
  };
  if (o.mean.empty() && o.std.empty() && !o.given.contains("mean") && !o.given.contains("std")) return;
  if (o.mean.empty() != o.std.empty())
    throw usage_error("{} and {} go together: give both", setting("mean"), setting("std"));
  check_three("mean", o.mean, -1e6);
  check_three("std", o.std, 1e-6);
}

}  // namespace

void resolve(TrainOptions& o) {
  optimizer_defaults(o);  // for its error
  if (o.given.contains("weights") && o.weights.empty())
    throw usage_error("{}: wanted a file or MODEL:ENTRY", setting("weights"));
  resolve_mode(o);
  for (const Option<TrainOptions>& option : train_option_table())
    if (o.given.contains(option.name))
      if (const std::string reason = why_useless(option, o); !reason.empty()) throw usage_error("{}", reason);
  resolve_optimizer(o);
  resolve_scale(o);
  if (o.momentum >= 1) throw usage_error("{} is {}: wanted less than 1", setting("momentum"), o.momentum);
  if (o.nesterov && o.momentum == 0)
    throw usage_error("{} wants a {} above 0", setting("nesterov"), setting("momentum"));
  if (!(o.label_smoothing >= 0 && o.label_smoothing < 1))
    throw usage_error("{} is {}: wanted 0 or more and less than 1", setting("label_smoothing"), o.label_smoothing);

  if (o.accumulate < 1) throw usage_error("{} is {}: wanted at least 1 batch", setting("accumulate"), o.accumulate);
  if (!(o.ema >= 0 && o.ema < 1))
    throw usage_error("{} is {}: wanted 0 or more and less than 1", setting("ema"), o.ema);
  check_schedule(o);
  check(o.augment, o.given);
  if (o.sampler != "shuffle" && o.sampler != "balanced")
    throw usage_error("{} {}: wanted shuffle or balanced", setting("sampler"), o.sampler);

  // For their errors.
  decode_mode(o.decode);
  acceptance(o.max_pixels, o.truncated, o.grey16);
  training_precision({.name = o.precision, .force = o.force_precision});

  resolve_structure(o);
  const auto needs_weights = [&](const char* name, bool given) {
    if (o.weights.empty() && given) throw usage_error("{} goes with {}", setting(name), setting("weights"));
  };
  needs_weights("weights_skip", !o.weights_skip.empty());
  needs_weights("weights_key", !o.weights_key.empty());
  needs_weights("weights_prefix", !o.weights_prefix.empty());
  check_patterns("weights_skip", o.weights_skip, "layer4.*");
  if (o.repeat < 1) throw usage_error("{} is {}: wanted at least 1", setting("repeat"), o.repeat);
  if (o.given.contains("folds") && o.folds < 2)
    throw usage_error("{} is {}: wanted at least 2", setting("folds"), o.folds);
  check_exclusions(o);
  if (o.strict && !o.resume) throw usage_error("{} goes with {}", setting("strict"), setting("resume"));
  if (o.epochs < 0) throw usage_error("{} is {}: wanted at least 0", setting("epochs"), o.epochs);
  if (o.epochs > kMostEpochs)
    throw usage_error("{} is {}: wanted at most {}", setting("epochs"), o.epochs, kMostEpochs);
  if (o.batch < 1) throw usage_error("{} is {}: wanted at least 1", setting("batch"), o.batch);
  check_preparation(o);
  if (o.outage < 0) throw usage_error("{} is {}: wanted at least 0", setting("outage"), o.outage);
  if (o.save_every < 0) throw usage_error("{} is {}: wanted at least 0", setting("save_every"), o.save_every);
  if (o.keep < 1) throw usage_error("{} is {}: wanted at least 1", setting("keep"), o.keep);
  if (o.on_error != "skip" && o.on_error != "stop")
    throw usage_error("{} {}: wanted skip or stop", setting("on_error"), o.on_error);
  if ((o.given.contains("threads") || o.threads != 0) && o.threads < 1)
    throw usage_error("{} is {}: wanted at least 1", setting("threads"), o.threads);
  if (o.threads == 0 && !o.pin) o.threads = cpu_limits().usable();
}

namespace {

// Those of the newest saved state that can be read. A damaged one is told of when the run is opened.
SavedOptions newest_options(const std::string& run_folder) {
  std::exception_ptr first;
  for (const std::string& file : saved_states(run_folder)) {
    TrainingState state;
    try {
      state = read_checkpoint_summary(file).checkpoint.training;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      if (!first) first = std::current_exception();
      continue;
    }
    check_saved(state, file);  // a whole one is not passed over for what it says
    return state.options;
  }
  std::rethrow_exception(first);
}

}  // namespace

TrainOptions resolved(TrainOptions options) {
  check_exclusions(options);
  if (options.resume) {
    adopt_saved(options, newest_options(options.out));
  }
  resolve(options);
  return options;
}

ScheduleOptions TrainOptions::schedule_options(int64_t epoch_steps) const {
  return {.name = schedule,
          .base = base_lr(),
          .epochs = epochs,
          .epoch_steps = epoch_steps,
          .warmup_epochs = warmup_epochs,
          .step_size = step_size,
          .milestones = milestones,
          .gamma = gamma,
          .min_lr = min_lr,
          .patience = patience};
}

}  // namespace resflow
