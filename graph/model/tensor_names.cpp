#include "graph/model/tensor_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace resflow {
namespace {

// DataParallel and DistributedDataParallel, torch.compile, FSDP, activation checkpointing.
constexpr std::array<std::string_view, 4> kWrappers = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                                       "_checkpoint_wrapped_module"};

std::vector<std::string_view> components(std::string_view name) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t dot = name.find('.');
    parts.push_back(name.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    name.remove_prefix(dot + 1);
  }
}

// A number counted from 0, as one counted from 1; 0 where it is none.
int next_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr int kMost = 1000;
  return error == std::errc() && end == text.data() + text.size() && number >= 0 && number < kMost ? number + 1 : 0;
}

// torchvision's, and those of networks for CIFAR that call a projection shortcut.
std::string torchvisions(std::string_view name) {
  static constexpr std::array<std::string_view, 3> kParts = {"conv1.", "bn1.", "fc."};
  // A stage beyond those that there may be is one of another ResNet, and no tensor beside the others.
  static constexpr std::string_view kStage = "layer";
  const bool is_stage = name.starts_with(kStage) && name.find('.') != std::string_view::npos &&
                        next_number(name.substr(kStage.size(), name.find('.') - kStage.size())) > 1;
  const bool known =
      is_stage || std::any_of(kParts.begin(), kParts.end(), [&](auto part) { return name.starts_with(part); });
  if (!known) return {};
  constexpr std::string_view kShortcut = ".shortcut.", kDownsample = ".downsample.";
  std::string renamed(name);
  if (const size_t at = renamed.find(kShortcut); at != std::string::npos)
    renamed.replace(at, kShortcut.size(), kDownsample);
  return renamed;
}

// embedder.embedder.convolution.weight; encoder.stages.0.layers.1.layer.0.normalization.bias;
// encoder.stages.1.layers.0.shortcut.convolution.weight.
std::string of_huggingface(std::string_view name) {
  const std::vector<std::string_view> part = components(name);
  const auto is_convolution = [](std::string_view kind) { return kind == "convolution"; };
  const auto is_known = [&](std::string_view kind) { return is_convolution(kind) || kind == "normalization"; };
  if (part.size() == 4 && part[0] == "embedder" && part[1] == "embedder" && is_known(part[2]))
    return fmt::format("{}.{}", is_convolution(part[2]) ? "conv1" : "bn1", part[3]);
  if (part.size() < 8 || part[0] != "encoder" || part[1] != "stages" || part[3] != "layers") return {};
  const int stage = next_number(part[2]);
  if (stage == 0 || next_number(part[4]) == 0) return {};
  if (part[5] == "shortcut" && part.size() == 8 && is_known(part[6]))
    return fmt::format("layer{}.{}.downsample.{}.{}", stage, part[4], is_convolution(part[6]) ? 0 : 1, part[7]);
  if (part[5] == "layer" && part.size() == 9 && is_known(part[7]) && next_number(part[6]) > 0)
    return fmt::format("layer{}.{}.{}{}.{}", stage, part[4], is_convolution(part[7]) ? "conv" : "bn",
                       next_number(part[6]), part[8]);
  return {};
}

constexpr std::array<NameScheme, 2> kSchemes = {{
    {"conv1.weight", "layer1.0.conv1.weight", torchvisions},
    {"embedder.embedder.convolution.weight", "encoder.stages.0.layers.0.layer.0.convolution.weight", of_huggingface},
}};

constexpr std::array<std::string_view, 6> kHeads = {"fc", "head.fc", "classifier.1", "classifier", "linear", "head"};

}  // namespace

std::string without_wrappers(std::string_view name) {
  std::string rest;
  for (const std::string_view part : components(name)) {
    if (std::find(kWrappers.begin(), kWrappers.end(), part) != kWrappers.end()) continue;
    if (!rest.empty()) rest += '.';
    rest += part;
  }
  return rest;
}

std::span<const NameScheme> name_schemes() { return kSchemes; }

std::span<const std::string_view> head_names() { return kHeads; }

}  // namespace resflow
