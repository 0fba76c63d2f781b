#include "apps/train/train_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "apps/host/pinning.h"
#include "apps/machine/threads.h"
#include "apps/model/precision.h"
#include "apps/options/common.h"
#include "apps/train/option_conditions.h"
#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/error.h"
#include "io/images/decode.h"

namespace resflow {
namespace {

void check_patterns(const char* option, const std::vector<std::string>& patterns, const char* example) {
  for (const std::string& pattern : patterns)
    if (pattern.empty() || pattern.find_first_of(" \t\r\n") != std::string::npos)
      throw usage_error("{} '{}': is no pattern of parameter names like '{}'", option, pattern, example);
}

void check_schedule(const TrainOptions& o) {
  check(o.schedule_options());
  if (o.early_stop < 0) throw usage_error("--early-stop is {}: wanted at least 0", o.early_stop);
  if (o.class_weights != "none" && o.class_weights != "balanced")
    throw usage_error("--class-weights {}: wanted none or balanced", o.class_weights);
  if (o.given.contains("--lr-backbone") && !(o.lr_backbone >= 0 && o.lr > 0))
    throw usage_error("--lr-backbone is {} beside --lr {}: wanted a number from 0 up, and an --lr above 0",
                      o.lr_backbone, o.lr);
}

// Modes that run on features have no use for much of what trains a network: what would do nothing is refused.
void check_mode_options(const TrainOptions& o) {
  if (o.augment_copies < 0) throw usage_error("--augment-copies is {}: wanted at least 0", o.augment_copies);
  if (o.given.contains("--svm-c") && !(o.svm_c > 0 && o.svm_c <= 1e9))
    throw usage_error("--svm-c is {}: wanted a number above 0", o.svm_c);
  if (o.svm_folds < 2) throw usage_error("--svm-folds is {}: wanted at least 2", o.svm_folds);
  if (o.given.contains("--feature-cache") && o.feature_cache.empty())
    throw usage_error("--feature-cache is empty: wanted a folder");
}

void resolve_mode(TrainOptions& o) {
  if (o.mode.empty()) o.mode = !o.freeze.empty() ? "partial" : !o.weights.empty() ? "finetune" : "scratch";
  if (o.mode != "finetune" && o.mode != "partial" && o.mode != "features" && o.mode != "svm" && o.mode != "scratch")
    throw usage_error("--mode {}: wanted finetune, partial, features, svm or scratch", o.mode);
  if (o.mode == "scratch" && !o.weights.empty())
    throw usage_error("--mode scratch starts from random values: leave out --weights, or give --mode finetune");
  if (o.mode != "scratch" && o.weights.empty())
    throw usage_error("--mode {} starts from trained values: give --weights (see resflow weights)", o.mode);
  if (o.mode == "partial" && o.freeze.empty())
    throw usage_error("--mode partial: give what stays as it is, like --freeze conv1,bn1,layer1,layer2,layer3");
  if (o.mode != "partial" && !o.freeze.empty()) throw usage_error("--freeze goes with --mode partial, not {}", o.mode);
  check_patterns("--freeze", o.freeze, "layer1");
  if (o.freeze_bn != "eval" && o.freeze_bn != "train")
    throw usage_error("--freeze-bn {}: wanted eval or train", o.freeze_bn);
  check_mode_options(o);
}

}  // namespace

OptimizerOptions TrainOptions::optimizer_options() const {
  OptimizerOptions o;
  o.name = optimizer;
  o.lr = lr;
  o.momentum = momentum;
  o.nesterov = nesterov;
  o.weight_decay = weight_decay;
  o.clip_norm = clip_norm;
  return o;
}

void resolve(TrainOptions& o) {
  const bool sgd = o.optimizer == "sgd";
  const bool rmsprop = o.optimizer == "rmsprop";
  if (!sgd && !rmsprop && o.optimizer != "adam" && o.optimizer != "adamw")
    throw usage_error("--optimizer {}: wanted sgd, adam, adamw or rmsprop", o.optimizer);
  if (o.given.contains("--weights") && o.weights.empty()) throw usage_error("--weights: wanted a file or MODEL:ENTRY");
  resolve_mode(o);
  for (const std::string& option : o.given)
    if (const std::string reason = why_useless(o, option); !reason.empty()) throw usage_error("{}", reason);
  for (const auto& [name, value] :
       {std::pair{"--lr", o.lr}, std::pair{"--momentum", o.momentum}, std::pair{"--weight-decay", o.weight_decay}})
    if (o.given.contains(name) && !(value >= 0 && value <= 1e6))
      throw usage_error("{} is {}: wanted a number from 0 up", name, value);
  if (o.lr < 0) o.lr = sgd ? 0.1 : rmsprop ? 1e-2 : 1e-3;
  if (o.momentum < 0) o.momentum = sgd ? 0.9 : 0;
  if (o.weight_decay < 0) o.weight_decay = sgd ? 1e-4 : o.optimizer == "adamw" ? 1e-2 : 0;
  if (o.momentum >= 1) throw usage_error("--momentum is {}: wanted less than 1", o.momentum);
  if (o.nesterov && o.momentum == 0) throw usage_error("--nesterov wants a --momentum above 0");
  if (!(o.label_smoothing >= 0 && o.label_smoothing < 1))
    throw usage_error("--label-smoothing is {}: wanted 0 or more and less than 1", o.label_smoothing);

  if (!(o.clip_norm >= 0)) throw usage_error("--clip-norm is {}: wanted a number from 0 up", o.clip_norm);
  if (o.accumulate < 1) throw usage_error("--accumulate is {}: wanted at least 1 batch", o.accumulate);
  if (!(o.ema >= 0 && o.ema < 1)) throw usage_error("--ema is {}: wanted 0 or more and less than 1", o.ema);
  check_schedule(o);
  check(o.augment, o.given);
  if (o.sampler != "shuffle" && o.sampler != "balanced")
    throw usage_error("--sampler {}: wanted shuffle or balanced", o.sampler);

  // For their errors.
  decode_mode(o.decode);
  training_precision({.name = o.precision, .force = o.force_precision});

  const auto& models = model_names();
  if (std::find(models.begin(), models.end(), o.model) == models.end())
    throw usage_error("--model {}: there is no such model, but {}", o.model, fmt::join(models, ", "));
  if (o.weights.empty() && !o.weights_skip.empty()) throw usage_error("--weights-skip goes with --weights");
  check_patterns("--weights-skip", o.weights_skip, "layer4.*");
  if (o.repeat < 1) throw usage_error("--repeat is {}: wanted at least 1", o.repeat);
  if (o.given.contains("--folds") && o.folds < 2) throw usage_error("--folds is {}: wanted at least 2", o.folds);
  if (o.folds > 0 && o.repeat > 1) throw usage_error("--folds and --repeat: one or the other");
  if (o.lr_find && (o.folds > 0 || o.repeat > 1)) throw usage_error("--lr-find goes with neither --folds nor --repeat");
  if (o.lr_find && o.resume) throw usage_error("--lr-find and --resume: one or the other");
  if (o.epochs < 0) throw usage_error("--epochs is {}: wanted at least 0", o.epochs);
  if (o.batch < 1) throw usage_error("--batch is {}: wanted at least 1", o.batch);
  if (o.image_size < 32) throw usage_error("--image-size is {}: wanted at least 32", o.image_size);
  if (o.image_size > 4096) throw usage_error("--image-size is {}: wanted at most 4096", o.image_size);
  if (o.save_every < 0) throw usage_error("--save-every is {}: wanted at least 0", o.save_every);
  if (o.keep < 1) throw usage_error("--keep is {}: wanted at least 1", o.keep);
  if (o.on_error != "skip" && o.on_error != "stop") throw usage_error("--on-error {}: wanted skip or stop", o.on_error);
  if (o.given.contains("--threads") && o.threads < 1)
    throw usage_error("--threads is {}: wanted at least 1", o.threads);
  if (o.pin) o.threads = pin_threads(o.threads);
  if (o.threads == 0) o.threads = cpu_limits().usable();
}

std::string mode_of(const TrainOptions& options) {
  const std::string last = options.out + "/last.resflow";
  if (!options.resume || !std::filesystem::exists(last)) return options.mode;
  for (const auto& [name, value] : read_checkpoint_summary(last).checkpoint.training.options)
    if (name == "--mode") return value;
  return options.mode;
}

ScheduleOptions TrainOptions::schedule_options(int64_t epoch_steps) const {
  return {.name = schedule,
          .base = lr,
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
