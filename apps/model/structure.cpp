#include "apps/model/structure.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "io/core/setting.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

std::vector<bool> dilation_of(const StructureOptions& options) {
  std::vector<bool> dilate;
  for (const int64_t one : options.replace_stride_with_dilation) {
    if (one != 0 && one != 1)
      throw usage_error("{} has {}: wanted 0 or 1 for each stage after the first, like 0,1,1",
                        setting("replace_stride_with_dilation"), one);
    dilate.push_back(one == 1);
  }
  return dilate;
}

// Numbers that stand for "not given" are not looked at: who was given one says so.
void check_numbers(const StructureOptions& o) {
  for (const auto& [name, value] : {std::pair{"groups", o.groups}, std::pair{"width_per_group", o.width_per_group},
                                    std::pair{"channels", o.channels}, std::pair{"norm_groups", o.norm_groups}})
    if (value < 0) throw usage_error("{} is {}: wanted at least 1", setting(name), value);
}

// Puts what was given in the place of what there is.
void put(const StructureOptions& given, ModelDescription& model) {
  check_numbers(given);
  const auto take = [](const auto& from, auto& to) {
    if (from != std::decay_t<decltype(from)>{}) to = from;
  };
  take(given.groups, model.groups);
  take(given.width_per_group, model.width_per_group);
  take(given.block, model.block);
  take(given.layers, model.layers);
  take(given.channels, model.channels);
  take(given.norm, model.norm);
  take(given.norm_groups, model.norm_groups);
  take(given.shortcut, model.shortcut);
  take(given.stem, model.stem);
  take(given.zero_init_residual, model.zero_init_residual);
  take(given.no_residual, model.no_residual);
  if (!given.replace_stride_with_dilation.empty()) model.replace_stride_with_dilation = dilation_of(given);
}

// The graph is built for its errors: what does not divide, what a block cannot do.
ModelDescription shortest(const ModelDescription& description) {
  build_model(description);
  return describe(options_of(description));
}

}  // namespace

std::string model_or_unnamed(const std::string& model, bool model_given, const StructureOptions& options) {
  std::string unnamed(kUnnamedModel);
  if (options.block.empty() && options.layers.empty()) return model;
  if (model_given && model != unnamed)
    throw usage_error("{} {} has its own {} and {}: leave {} out, or these two", setting("model"), model,
                      setting("block"), setting("layers"), setting("model"));
  if (options.block.empty() || options.layers.empty())
    throw usage_error("{} and {} go together: wanted both, like {} bottleneck and {} 3,4,6,3", setting("block"),
                      setting("layers"), setting("block"), setting("layers"));
  return unnamed;
}

ModelDescription description_of(const std::string& architecture, const StructureOptions& options, int64_t num_classes) {
  ModelDescription description;
  description.architecture = architecture;
  description.num_classes = num_classes;
  put(options, description);
  return shortest(description);
}

StructureOptions structure_of(const ModelDescription& d) {
  StructureOptions options = {.block = d.block,
                              .layers = d.layers,
                              .groups = d.groups,
                              .width_per_group = d.width_per_group,
                              .channels = d.channels,
                              .zero_init_residual = d.zero_init_residual,
                              .norm = d.norm,
                              .norm_groups = d.norm_groups,
                              .shortcut = d.shortcut,
                              .stem = d.stem,
                              .no_residual = d.no_residual};
  const auto& dilate = d.replace_stride_with_dilation;
  if (std::find(dilate.begin(), dilate.end(), true) != dilate.end())
    options.replace_stride_with_dilation.assign(dilate.begin(), dilate.end());
  return options;
}

ModelDescription with_structure(const ModelDescription& of_file, const StructureOptions& given) {
  if (given == StructureOptions()) return of_file;
  ModelDescription description = of_file;
  if (!given.block.empty() || !given.layers.empty()) {
    // Whatever the file's network is called, these two say all of its blocks.
    const ResNetOptions options = options_of(of_file);
    description.architecture = kUnnamedModel;
    description.block = options.block == Block::kBasic ? "basic" : "bottleneck";
    description.layers = options.layers;
    description.groups = options.groups;
    description.width_per_group = options.width_per_group;
    description.channels = options.channels;
    description.stem = options.stem == Stem::kCifar ? "cifar" : "imagenet";
    description.shortcut = options.shortcut == Shortcut::kPadding ? "padding" : "projection";
  }
  put(given, description);
  // What a network cannot have goes with what was given for it.
  if (given.no_residual) description.shortcut.clear();
  if (given.norm == "batch") description.norm_groups = given.norm_groups;
  return shortest(description);
}

std::string given_text(const StructureOptions& o) {
  std::vector<std::string> parts;
  const auto add_word = [&](const char* name, const std::string& word) {
    if (!word.empty()) parts.push_back(fmt::format("{} {}", setting(name), word));
  };
  const auto add_number = [&](const char* name, int64_t number) {
    if (number != 0) parts.push_back(fmt::format("{} {}", setting(name), number));
  };
  add_word("block", o.block);
  add_word("layers", fmt::format("{}", fmt::join(o.layers, ",")));
  add_number("groups", o.groups);
  add_number("width_per_group", o.width_per_group);
  add_number("channels", o.channels);
  add_word("replace_stride_with_dilation", fmt::format("{}", fmt::join(o.replace_stride_with_dilation, ",")));
  add_word("norm", o.norm);
  add_number("norm_groups", o.norm_groups);
  add_word("shortcut", o.shortcut);
  add_word("stem", o.stem);
  if (o.no_residual) parts.push_back(setting("no_residual"));
  return fmt::format("{}", fmt::join(parts, ", "));
}

Preprocessing usual_preprocessing(const ModelDescription& model, int image_size) {
  Preprocessing preprocessing = eval_preprocessing(image_size);
  if (options_of(model).stem == Stem::kCifar) preprocessing.resize = image_size;
  return preprocessing;
}

}  // namespace resflow
