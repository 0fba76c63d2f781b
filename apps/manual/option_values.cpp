#include "apps/manual/option_values.h"

#include <map>

#include "graph/model/model_zoo.h"
#include "graph/train/optimizer.h"

namespace resflow {
namespace {

const std::map<std::string, std::vector<std::string>>& all() {
  static const std::map<std::string, std::vector<std::string>> kAll = {
      {"auto-augment", {"none", "randaugment", "trivialaugment"}},
      {"block", {"basic", "bottleneck"}},
      {"class-weights", {"none", "balanced"}},
      {"completion", {"bash", "zsh", "fish"}},
      {"decode", {"exact", "fast"}},
      {"embeddings-dtype", {"f32", "f16"}},
      {"executors", {"auto", "throughput", "latency"}},
      {"format", {"csv", "jsonl", "npy", "npz"}},
      {"freeze-bn", {"eval", "train"}},
      {"mode", {"finetune", "partial", "features", "svm", "scratch"}},
      {"model", all_model_names()},
      {"norm", {"batch", "group"}},
      {"on-error", {"skip", "stop"}},
      {"optimizer", optimizer_names()},
      {"precision", {"f32", "bf16", "int8"}},
      {"recipe", {"train", "eval"}},
      {"sampler", {"shuffle", "balanced"}},
      {"schedule", {"none", "step", "multistep", "cosine", "plateau", "onecycle"}},
      {"shortcut", {"projection", "padding"}},
      {"stem", {"imagenet", "cifar"}},
      {"truncated", {"refuse", "take"}},
  };
  return kAll;
}

}  // namespace

std::vector<std::string> option_values(const std::string& name) {
  const auto found = all().find(name);
  return found == all().end() ? std::vector<std::string>{} : found->second;
}

std::vector<std::string> options_with_values() {
  std::vector<std::string> names;
  names.reserve(all().size());
  for (const auto& [name, values] : all()) names.push_back(name);
  return names;
}

}  // namespace resflow
