#include "graph/model/model_zoo.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "graph/model/resnet.h"
#include "io/core/error.h"

namespace resflow {
namespace {

struct Entry {
  std::string_view name;
  Block block;
  std::array<int, 4> layers;
  int64_t groups = 0, width_per_group = 0;  // 0: the caller's to choose, 1 and 64 by default
};

constexpr std::array<Entry, 10> kModels = {{
    {"resnet18", Block::kBasic, {2, 2, 2, 2}},
    {"resnet34", Block::kBasic, {3, 4, 6, 3}},
    {"resnet50", Block::kBottleneck, {3, 4, 6, 3}},
    {"resnet101", Block::kBottleneck, {3, 4, 23, 3}},
    {"resnet152", Block::kBottleneck, {3, 8, 36, 3}},
    {"resnext50_32x4d", Block::kBottleneck, {3, 4, 6, 3}, 32, 4},
    {"resnext101_32x8d", Block::kBottleneck, {3, 4, 23, 3}, 32, 8},
    {"resnext101_64x4d", Block::kBottleneck, {3, 4, 23, 3}, 64, 4},
    {"wide_resnet50_2", Block::kBottleneck, {3, 4, 6, 3}, 0, 128},
    {"wide_resnet101_2", Block::kBottleneck, {3, 4, 23, 3}, 0, 128},
}};

// As torchvision: what the name says cannot be overridden.
int64_t choose(std::string_view model, std::string_view option, int64_t named, int64_t asked, int64_t otherwise) {
  if (named != 0 && asked != 0 && asked != named)
    throw usage_error("{} has {} {}, got {}", model, option, named, asked);
  return named != 0 ? named : asked != 0 ? asked : otherwise;
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(kModels.size());
    for (const Entry& entry : kModels) all.emplace_back(entry.name);
    return all;
  }();
  return names;
}

Graph build_model(const ModelDescription& description) {
  const auto* const entry =
      std::find_if(kModels.begin(), kModels.end(), [&](const Entry& e) { return e.name == description.architecture; });
  if (entry == kModels.end())
    throw usage_error("no model is called \"{}\": there are {}", description.architecture,
                      fmt::join(model_names(), ", "));
  return resnet({.block = entry->block,
                 .layers = entry->layers,
                 .num_classes = description.num_classes,
                 .zero_init_residual = description.zero_init_residual,
                 .groups = choose(entry->name, "groups", entry->groups, description.groups, 1),
                 .width_per_group =
                     choose(entry->name, "width_per_group", entry->width_per_group, description.width_per_group, 64),
                 .replace_stride_with_dilation = description.replace_stride_with_dilation});
}

}  // namespace resflow
