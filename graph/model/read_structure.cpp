#include "graph/model/read_structure.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>

#include "io/checkpoint/description.h"

namespace resflow {
namespace {

class Tensors {
 public:
  explicit Tensors(std::span<const TensorEntry> tensors) {
    for (const TensorEntry& tensor : tensors) by_name_.emplace(tensor.name, &tensor.dims);
  }

  bool has(const std::string& name) const { return by_name_.contains(name); }
  // Of one with `rank` dims, none of them 0; else nullptr.
  const Dims* dims(const std::string& name, size_t rank) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || found->second->size() != rank) return nullptr;
    for (const int64_t size : *found->second)
      if (size < 1) return nullptr;
    return found->second;
  }

 private:
  std::unordered_map<std::string_view, const Dims*> by_name_;
};

int64_t count_blocks(const Tensors& tensors, size_t stage) {
  int64_t blocks = 0;
  while (blocks < kMostBlocks && tensors.has(fmt::format("layer{}.{}.conv1.weight", stage, blocks))) ++blocks;
  return blocks;
}

// Groups and width, which the first 3x3 of a bottleneck shows: (width groups, width, 3, 3).
bool read_width(const Tensors& tensors, ResNetOptions& options) {
  const Dims* middle = tensors.dims("layer1.0.conv2.weight", 4);
  if (middle == nullptr || (*middle)[0] % (*middle)[1] != 0) return false;
  options.groups = (*middle)[0] / (*middle)[1];
  options.width_per_group = (*middle)[1] * 64 / options.channels;
  return options.width_per_group >= 1;
}

bool has_projection(const Tensors& tensors, size_t stages) {
  for (size_t stage = 1; stage <= stages; ++stage)
    if (tensors.has(fmt::format("layer{}.0.downsample.0.weight", stage))) return true;
  return false;
}

}  // namespace

std::optional<ResNetOptions> read_structure(std::span<const TensorEntry> list) {
  const Tensors tensors(list);
  const Dims* stem = tensors.dims("conv1.weight", 4);
  if (stem == nullptr) return std::nullopt;
  ResNetOptions options;
  options.channels = (*stem)[0];
  options.stem = (*stem)[2] == 3 ? Stem::kCifar : Stem::kImagenet;
  options.layers.clear();
  for (size_t stage = 1; stage <= kMostStages; ++stage) {
    const int64_t blocks = count_blocks(tensors, stage);
    if (blocks == 0) break;
    options.layers.push_back(blocks);
  }
  if (options.layers.empty()) return std::nullopt;
  if (tensors.has("layer1.0.conv3.weight")) {
    options.block = Block::kBottleneck;
    if (!read_width(tensors, options)) return std::nullopt;
  }
  if (tensors.has("bn1.weight") && !tensors.has("bn1.running_mean") && !tensors.has("bn1.running_var"))
    options.norm = Norm::kGroup;
  const size_t stages = options.layers.size();
  const bool reshapes = stages > 1 || options.block == Block::kBottleneck;
  if (reshapes && !has_projection(tensors, stages)) options.shortcut = Shortcut::kPadding;
  if (const Dims* head = tensors.dims("fc.weight", 2)) options.num_classes = (*head)[0];
  return options;
}

}  // namespace resflow
