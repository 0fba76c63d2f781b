#include "apps/train/option_conditions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

namespace resflow {
namespace {

// An option that another one's value gives a meaning.
struct Condition {
  const char* option;
  const char* decider;
  std::string TrainOptions::*value;
  std::vector<std::string> wanted;
};

const std::vector<Condition>& conditions() {
  static const std::vector<Condition> all = {
      {"--nesterov", "--optimizer", &TrainOptions::optimizer, {"sgd"}},
      {"--momentum", "--optimizer", &TrainOptions::optimizer, {"sgd", "rmsprop"}},
      {"--step-size", "--schedule", &TrainOptions::schedule, {"step"}},
      {"--milestones", "--schedule", &TrainOptions::schedule, {"multistep"}},
      {"--gamma", "--schedule", &TrainOptions::schedule, {"step", "multistep", "plateau"}},
      {"--min-lr", "--schedule", &TrainOptions::schedule, {"cosine", "plateau"}},
      {"--patience", "--schedule", &TrainOptions::schedule, {"plateau"}},
      {"--force-precision", "--precision", &TrainOptions::precision, {"bf16"}},
      {"--freeze", "--mode", &TrainOptions::mode, {"partial"}},
      {"--freeze-bn", "--mode", &TrainOptions::mode, {"partial"}},
  };
  return all;
}

std::string of_condition(const TrainOptions& o, const std::string& option) {
  for (const Condition& c : conditions())
    if (c.option == option && std::find(c.wanted.begin(), c.wanted.end(), o.*c.value) == c.wanted.end())
      return fmt::format("{} goes with {} {}, not {}", option, c.decider, fmt::join(c.wanted, " or "), o.*c.value);
  return {};
}

std::string of_mode(const TrainOptions& o, const std::string& option) {
  static const std::set<std::string> both = {
      "--val",           "--out",     "--resume",       "--overwrite",     "--keep",
      "--model",         "--weights", "--weights-skip", "--mode",          "--image-size",
      "--seed",          "--threads", "--on-error",     "--class-weights", "--augment-copies",
      "--feature-cache", "--config",  "--folds",        "--repeat",        "--exif",
      "--decode",        "--pin"};
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
  static const std::set<std::string> copies = {"--crop-scale",   "--hflip",        "--auto-augment", "--ra-ops",
                                               "--ra-magnitude", "--color-jitter", "--random-erase"};
  if (!option.starts_with("--")) return {};
  if (o.mode == "features" || o.mode == "svm") {
    const bool known = both.contains(option) || (o.mode == "svm" ? svm : features).contains(option) ||
                       (o.augment_copies > 0 && copies.contains(option));
    return known ? "" : fmt::format("{} does nothing with --mode {}: leave it out", option, o.mode);
  }
  if (option == "--augment-copies" || option == "--feature-cache")
    return fmt::format("{} goes with --mode features or svm, not {}", option, o.mode);
  return svm.contains(option) ? fmt::format("{} goes with --mode svm, not {}", option, o.mode) : "";
}

}  // namespace

std::string why_useless(const TrainOptions& options, const std::string& option) {
  if ((option == "--ra-ops" || option == "--ra-magnitude") && options.augment.auto_augment != "randaugment")
    return fmt::format("{} goes with --auto-augment randaugment, not {}", option, options.augment.auto_augment);
  const std::string reason = of_condition(options, option);
  return reason.empty() ? of_mode(options, option) : reason;
}

}  // namespace resflow
