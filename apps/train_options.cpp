#include "apps/train_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iterator>
#include <sstream>

#include "apps/threads.h"
#include "graph/model_zoo.h"
#include "io/checkpoint.h"
#include "io/error.h"

namespace resflow {
namespace {

// An option that a checkpoint keeps. `fixed` ones decide the bits of the run.
struct Field {
  std::string name;
  bool fixed;
  std::function<std::string(const TrainOptions&)> get;
  std::function<void(TrainOptions&, const std::string&)> set;
};

template <class T>
Field field(const char* name, bool fixed, T TrainOptions::*member) {
  return {name, fixed, [member](const TrainOptions& o) { return fmt::format("{}", o.*member); },
          [member, name](TrainOptions& o, const std::string& text) {
            if constexpr (std::is_same_v<T, std::string>) {
              o.*member = text;
            } else {
              std::istringstream stream(text);
              T value{};
              if (!(stream >> std::boolalpha >> value))
                throw data_error("the checkpoint's {} is \"{}\": it cannot be resumed", name, text);
              o.*member = value;
            }
          }};
}

// Patterns and numbers hold no white space, so that one space keeps them apart.
template <class T>
Field list_field(const char* name, std::vector<T> TrainOptions::*member) {
  return {name, true, [member](const TrainOptions& o) { return fmt::format("{}", fmt::join(o.*member, " ")); },
          [member](TrainOptions& o, const std::string& text) {
            std::istringstream stream(text);
            (o.*member).assign(std::istream_iterator<T>(stream), {});
          }};
}

const std::vector<Field>& fields() {
  static const std::vector<Field> all = {
      field("--model", true, &TrainOptions::model),
      field("--weights", true, &TrainOptions::weights),
      list_field("--weights-skip", &TrainOptions::weights_skip),
      field("--mode", true, &TrainOptions::mode),
      list_field("--freeze", &TrainOptions::freeze),
      field("--freeze-bn", true, &TrainOptions::freeze_bn),
      field("--batch", true, &TrainOptions::batch),
      field("--image-size", true, &TrainOptions::image_size),
      field("--seed", true, &TrainOptions::seed),
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
      field("--augment-copies", true, &TrainOptions::augment_copies),
      field("--svm-c", true, &TrainOptions::svm_c),
      field("--svm-folds", true, &TrainOptions::svm_folds),
      field("--feature-cache", false, &TrainOptions::feature_cache),
      field("--early-stop", false, &TrainOptions::early_stop),
      field("--epochs", false, &TrainOptions::epochs),
      field("--threads", false, &TrainOptions::threads),
      field("--save-every", false, &TrainOptions::save_every),
      field("--on-error", false, &TrainOptions::on_error),
  };
  return all;
}

void check_patterns(const char* option, const std::vector<std::string>& patterns, const char* example) {
  for (const std::string& pattern : patterns)
    if (pattern.empty() || pattern.find_first_of(" \t\r\n") != std::string::npos)
      throw usage_error("{} '{}': is no pattern of parameter names like '{}'", option, pattern, example);
}

// An option of another schedule would do nothing: it is refused.
void check_schedule(const TrainOptions& o) {
  struct Needs {
    const char* option;
    std::vector<std::string> schedules;
  };
  const std::vector<Needs> all = {{"--step-size", {"step"}},
                                  {"--milestones", {"multistep"}},
                                  {"--gamma", {"step", "multistep", "plateau"}},
                                  {"--min-lr", {"cosine", "plateau"}},
                                  {"--patience", {"plateau"}}};
  for (const Needs& needs : all)
    if (o.given.contains(needs.option) &&
        std::find(needs.schedules.begin(), needs.schedules.end(), o.schedule) == needs.schedules.end())
      throw usage_error("{} goes with --schedule {}, not {}", needs.option, fmt::join(needs.schedules, " or "),
                        o.schedule);
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
  static const std::set<std::string> both = {"--val",      "--out",           "--resume",         "--overwrite",
                                             "--keep",     "--model",         "--weights",        "--weights-skip",
                                             "--mode",     "--image-size",    "--seed",           "--threads",
                                             "--on-error", "--class-weights", "--augment-copies", "--feature-cache"};
  static const std::set<std::string> features = {"--epochs",
                                                 "--batch",
                                                 "--optimizer",
                                                 "--lr",
                                                 "--momentum",
                                                 "--nesterov",
                                                 "--weight-decay",
                                                 "--schedule",
                                                 "--warmup-epochs",
                                                 "--step-size",
                                                 "--milestones",
                                                 "--gamma",
                                                 "--min-lr",
                                                 "--patience",
                                                 "--early-stop",
                                                 "--label-smoothing",
                                                 "--no-decay-norm-bias"};
  static const std::set<std::string> svm = {"--svm-c", "--svm-folds"};
  if (o.mode == "features" || o.mode == "svm") {
    for (const std::string& name : o.given)
      if (name.starts_with("--") && !both.contains(name) && !(o.mode == "svm" ? svm : features).contains(name))
        throw usage_error("{} does nothing with --mode {}: leave it out", name, o.mode);
  } else {
    for (const char* name : {"--augment-copies", "--feature-cache"})
      if (o.given.contains(name)) throw usage_error("{} goes with --mode features or svm, not {}", name, o.mode);
    for (const std::string& name : svm)
      if (o.given.contains(name)) throw usage_error("{} goes with --mode svm, not {}", name, o.mode);
  }
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
  if (o.given.contains("--freeze-bn") && o.freeze.empty()) throw usage_error("--freeze-bn goes with --freeze");
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
  return o;
}

void resolve(TrainOptions& o) {
  const bool sgd = o.optimizer == "sgd";
  const bool rmsprop = o.optimizer == "rmsprop";
  if (!sgd && !rmsprop && o.optimizer != "adam" && o.optimizer != "adamw")
    throw usage_error("--optimizer {}: wanted sgd, adam, adamw or rmsprop", o.optimizer);
  if (!sgd && o.given.contains("--nesterov"))
    throw usage_error("--nesterov goes with --optimizer sgd, not {}", o.optimizer);
  if (!sgd && !rmsprop && o.given.contains("--momentum"))
    throw usage_error("--momentum goes with --optimizer sgd or rmsprop, not {}", o.optimizer);
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

  check_schedule(o);

  const auto& models = model_names();
  if (std::find(models.begin(), models.end(), o.model) == models.end())
    throw usage_error("--model {}: there is no such model, but {}", o.model, fmt::join(models, ", "));
  if (o.given.contains("--weights") && o.weights.empty()) throw usage_error("--weights: wanted a file or MODEL:ENTRY");
  if (o.weights.empty() && !o.weights_skip.empty()) throw usage_error("--weights-skip goes with --weights");
  check_patterns("--weights-skip", o.weights_skip, "layer4.*");
  resolve_mode(o);
  if (o.epochs < 0) throw usage_error("--epochs is {}: wanted at least 0", o.epochs);
  if (o.batch < 1) throw usage_error("--batch is {}: wanted at least 1", o.batch);
  if (o.image_size < 32) throw usage_error("--image-size is {}: wanted at least 32", o.image_size);
  if (o.image_size > 4096) throw usage_error("--image-size is {}: wanted at most 4096", o.image_size);
  if (o.save_every < 0) throw usage_error("--save-every is {}: wanted at least 0", o.save_every);
  if (o.keep < 1) throw usage_error("--keep is {}: wanted at least 1", o.keep);
  if (o.on_error != "skip" && o.on_error != "stop") throw usage_error("--on-error {}: wanted skip or stop", o.on_error);
  if (o.given.contains("--threads") && o.threads < 1)
    throw usage_error("--threads is {}: wanted at least 1", o.threads);
  if (o.threads == 0) o.threads = cpu_limits().usable();
}

std::string mode_of(const TrainOptions& options) {
  const std::string last = options.out + "/last.resflow";
  if (!options.resume || !std::filesystem::exists(last)) return options.mode;
  for (const auto& [name, value] : read_checkpoint_summary(last).checkpoint.training.options)
    if (name == "--mode") return value;
  return options.mode;
}

ScheduleOptions TrainOptions::schedule_options() const {
  return {.name = schedule,
          .base = lr,
          .epochs = epochs,
          .warmup_epochs = warmup_epochs,
          .step_size = step_size,
          .milestones = milestones,
          .gamma = gamma,
          .min_lr = min_lr,
          .patience = patience};
}

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
  const auto epochs = std::find_if(saved.begin(), saved.end(), [](const auto& o) { return o.first == "--epochs"; });
  if (options.schedule == "cosine" && options.given.contains("--epochs") && epochs != saved.end() &&
      epochs->second != fmt::format("{}", options.epochs))
    conflicts.push_back(
        fmt::format("--epochs was {} and is part of --schedule cosine, now {}", epochs->second, options.epochs));
  if (!conflicts.empty())
    throw usage_error(
        "--resume: the run began with other options: {}; leave them out, or start anew with another --out",
        fmt::join(conflicts, "; "));
}

}  // namespace resflow
