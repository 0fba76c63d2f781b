#include "graph/model/model_zoo.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr size_t kTorchvisions = 10;  // the first ones

struct Entry {
  std::string_view name;
  Block block;
  std::array<int64_t, 4> layers;            // 0: there is no such stage
  int64_t groups = 0, width_per_group = 0;  // 0: the caller's to choose, 1 and 64 by default
  bool cifar = false;                       // 16 channels in the first stage, the stem for CIFAR, shortcuts by padding

  std::vector<int64_t> stages() const { return {layers.begin(), std::find(layers.begin(), layers.end(), 0)}; }
};

constexpr std::array<Entry, 15> kModels = {{
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
    {"resnet20", Block::kBasic, {3, 3, 3, 0}, 0, 0, true},
    {"resnet32", Block::kBasic, {5, 5, 5, 0}, 0, 0, true},
    {"resnet44", Block::kBasic, {7, 7, 7, 0}, 0, 0, true},
    {"resnet56", Block::kBasic, {9, 9, 9, 0}, 0, 0, true},
    {"resnet110", Block::kBasic, {18, 18, 18, 0}, 0, 0, true},
}};

const Entry* find_entry(std::string_view name) {
  const auto* const entry =
      std::find_if(kModels.begin(), kModels.end(), [&](const Entry& e) { return e.name == name; });
  return entry == kModels.end() ? nullptr : entry;
}

std::vector<std::string> names(size_t count) {
  std::vector<std::string> all;
  all.reserve(count);
  for (size_t i = 0; i < count; ++i) all.emplace_back(kModels[i].name);
  return all;
}

// As torchvision: what the name says cannot be overridden.
int64_t choose(std::string_view model, std::string_view option, int64_t named, int64_t asked, int64_t otherwise) {
  if (named != 0 && asked != 0 && asked != named)
    throw usage_error("{} has {} {}, got {}", model, option, named, asked);
  return named != 0 ? named : asked != 0 ? asked : otherwise;
}

// `first` and `second` are the words for the values 0 and 1 of an enumeration.
template <class Enum>
void take_word(std::string_view what, const std::string& word, std::string_view first, std::string_view second,
               Enum& value) {
  if (word.empty()) return;
  if (word != first && word != second) throw usage_error("{} is {}: wanted {} or {}", what, word, first, second);
  value = word == first ? Enum{} : static_cast<Enum>(1);
}

constexpr std::array<std::string_view, 2> kBlocks = {"basic", "bottleneck"}, kNorms = {"batch", "group"},
                                          kShortcuts = {"projection", "padding"}, kStems = {"imagenet", "cifar"};

template <class Enum>
std::string word_of(Enum value, const std::array<std::string_view, 2>& words) {
  return std::string(words[static_cast<size_t>(value)]);
}

// What the name alone says; of no name, the block and the layers.
ResNetOptions named_options(const ModelDescription& d) {
  ResNetOptions o;
  if (d.architecture == kUnnamedModel) {
    if (d.block.empty() || d.layers.empty())
      throw usage_error("a model called \"{}\" is what its block and its layers say: wanted both", kUnnamedModel);
    take_word("block", d.block, kBlocks[0], kBlocks[1], o.block);
    o.layers = d.layers;
    if (d.stem == kStems[1] && d.layers.size() == 3) o.channels = 16;
    return o;
  }
  const Entry* entry = find_entry(d.architecture);
  if (entry == nullptr)
    throw usage_error("no model is called \"{}\": there are {}", d.architecture, fmt::join(all_model_names(), ", "));
  if (!d.block.empty() || !d.layers.empty())
    throw usage_error("{} has its own block and layers: those of no name are of \"{}\"", d.architecture, kUnnamedModel);
  o.block = entry->block;
  o.layers = entry->stages();
  o.groups = choose(entry->name, "groups", entry->groups, d.groups, 1);
  o.width_per_group = choose(entry->name, "width_per_group", entry->width_per_group, d.width_per_group, 64);
  if (entry->cifar) {
    o.channels = 16;
    o.stem = Stem::kCifar;
    o.shortcut = d.no_residual ? Shortcut::kProjection : Shortcut::kPadding;
  }
  return o;
}

// How the options are called beside the name; nothing where the name cannot have them.
std::optional<ModelDescription> describe_as(ModelDescription named, const ResNetOptions& o) {
  named.num_classes = o.num_classes;
  named.zero_init_residual = o.zero_init_residual;
  const bool dilated = std::find(o.replace_stride_with_dilation.begin(), o.replace_stride_with_dilation.end(), true) !=
                       o.replace_stride_with_dilation.end();
  if (dilated) named.replace_stride_with_dilation = o.replace_stride_with_dilation;
  named.no_residual = !o.residual;
  named.stem = word_of(o.stem, kStems);  // first: it decides what the channels are
  const ResNetOptions usual = named_options(named);
  const ResNetOptions of_name = [&] {
    ModelDescription plain = named;
    plain.stem.clear();
    return named_options(plain);
  }();
  if (of_name.stem == o.stem) named.stem.clear();
  if (o.groups != usual.groups) named.groups = o.groups;
  if (o.width_per_group != usual.width_per_group) named.width_per_group = o.width_per_group;
  if (o.channels != usual.channels) named.channels = o.channels;
  if (o.norm != usual.norm) named.norm = word_of(o.norm, kNorms);
  named.norm_groups = o.norm_groups;
  if (o.shortcut != usual.shortcut) named.shortcut = word_of(o.shortcut, kShortcuts);
  try {
    ResNetOptions again = options_of(named);
    if (!dilated) again.replace_stride_with_dilation = o.replace_stride_with_dilation;
    return again == o ? std::optional(named) : std::nullopt;
  } catch (const Error&) {  // a name that has other groups
    return std::nullopt;
  }
}

int words_beside_name(const ModelDescription& d) {
  return (d.groups != 0 ? 1 : 0) + (d.width_per_group != 0 ? 1 : 0) + (d.channels != 0 ? 1 : 0) +
         (d.stem.empty() ? 0 : 1) + (d.shortcut.empty() ? 0 : 1);
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> all = names(kTorchvisions);
  return all;
}

const std::vector<std::string>& all_model_names() {
  static const std::vector<std::string> all = names(kModels.size());
  return all;
}

ResNetOptions options_of(const ModelDescription& d) {
  ResNetOptions o = named_options(d);
  o.num_classes = d.num_classes;
  o.zero_init_residual = d.zero_init_residual;
  o.replace_stride_with_dilation = d.replace_stride_with_dilation;
  if (d.groups != 0) o.groups = d.groups;
  if (d.width_per_group != 0) o.width_per_group = d.width_per_group;
  if (d.channels != 0) o.channels = d.channels;
  take_word("norm", d.norm, kNorms[0], kNorms[1], o.norm);
  o.norm_groups = d.norm_groups;
  take_word("shortcut", d.shortcut, kShortcuts[0], kShortcuts[1], o.shortcut);
  take_word("stem", d.stem, kStems[0], kStems[1], o.stem);
  o.residual = !d.no_residual;
  return o;
}

ModelDescription describe(const ResNetOptions& options) {
  std::optional<ModelDescription> best;
  for (const Entry& entry : kModels) {
    if (entry.block != options.block || entry.stages() != options.layers) continue;
    const auto description = describe_as({.architecture = std::string(entry.name)}, options);
    if (!description || (best && words_beside_name(*best) <= words_beside_name(*description))) continue;
    best = description;
  }
  if (best) return *best;
  const ModelDescription unnamed = {
      .architecture = std::string(kUnnamedModel), .block = word_of(options.block, kBlocks), .layers = options.layers};
  if (const auto description = describe_as(unnamed, options)) return *description;
  throw internal_error("a network of {} stages has no description", options.layers.size());
}

Graph build_model(const ModelDescription& description) { return resnet(options_of(description)); }

std::string to_text(const ModelDescription& d) {
  std::vector<std::string> parts;
  const auto add_word = [&](std::string_view what, const std::string& word) {
    if (!word.empty()) parts.push_back(fmt::format("{} {}", what, word));
  };
  const auto add_number = [&](std::string_view what, int64_t number) {
    if (number != 0) parts.push_back(fmt::format("{} {}", what, number));
  };
  add_word("block", d.block);
  if (!d.layers.empty()) parts.push_back(fmt::format("layers {}", fmt::join(d.layers, ",")));
  add_number("groups", d.groups);
  add_number("width per group", d.width_per_group);
  add_number("channels", d.channels);
  add_word("norm", d.norm);
  add_number("norm groups", d.norm_groups);
  add_word("stem", d.stem);
  add_word("shortcut", d.shortcut);
  const auto& dilate = d.replace_stride_with_dilation;
  if (std::find(dilate.begin(), dilate.end(), true) != dilate.end()) {
    std::vector<int> stages;
    for (size_t i = 0; i < dilate.size(); ++i)
      if (dilate[i]) stages.push_back(static_cast<int>(i) + 2);
    parts.push_back(fmt::format("dilation in place of stride in layer{}", fmt::join(stages, ", layer")));
  }
  if (d.no_residual) parts.emplace_back("no residual");
  return parts.empty() ? d.architecture : fmt::format("{} ({})", d.architecture, fmt::join(parts, ", "));
}

int usual_image_size(const ModelDescription& description) {
  return options_of(description).stem == Stem::kCifar ? 32 : 224;
}

}  // namespace resflow
