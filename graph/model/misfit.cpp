#include "graph/model/misfit.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

#include "graph/model/model_zoo.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr size_t kFew = 5;

// How many blocks each stage has, by names like "layer3.5.conv1.weight".
template <class Named>
std::vector<int> blocks_of(const std::vector<Named>& tensors) {
  constexpr std::string_view kStage = "layer";
  constexpr int kMostStages = 100, kMostBlocks = 100'000;
  std::vector<int> blocks;
  for (const Named& tensor : tensors) {
    const std::string_view name = tensor.name;
    if (!name.starts_with(kStage)) continue;
    int stage = 0, block = -1;
    const char* end = name.data() + name.size();
    const auto [dot, error] = std::from_chars(name.data() + kStage.size(), end, stage);
    if (error != std::errc() || dot == end || *dot != '.' || stage < 1 || stage > kMostStages) continue;
    const auto [last, none] = std::from_chars(dot + 1, end, block);
    if (none != std::errc() || last == end || *last != '.' || block < 0 || block > kMostBlocks) continue;
    if (blocks.size() < static_cast<size_t>(stage)) blocks.resize(static_cast<size_t>(stage));
    int& most = blocks[static_cast<size_t>(stage) - 1];
    most = std::max(most, block + 1);
  }
  return blocks;
}

bool differs_in_head_alone(const WeightsFit& fit) {
  const auto is_head = [](std::string_view name) { return name.starts_with("fc."); };
  return std::ranges::all_of(fit.missing, is_head) && std::ranges::all_of(fit.unexpected, is_head) &&
         std::ranges::all_of(fit.misshapen, [&](const auto& m) { return is_head(m.got.name); });
}

bool differs_in_dtypes_alone(const WeightsFit& fit) {
  return fit.missing.empty() && fit.unexpected.empty() &&
         std::ranges::all_of(fit.misshapen, [](const auto& m) { return m.got.dims == m.wanted.dims; });
}

}  // namespace

std::string summarise_misfit(const FoundModel& nearest) {
  const WeightsFit& fit = nearest.match.fit;
  const ModelDescription& model = nearest.match.description;
  const std::vector<ParameterSpec> wanted = build_model(model).parameters();
  const std::string behind =
      nearest.prefix.empty() ? std::string() : fmt::format(", behind '{}',", printable(nearest.prefix));
  const std::string name = fmt::format("{} with {}", to_text(model), plural(model.num_classes, "class", "classes"));
  // Where half of the tensors or more differ, it is another network.
  const bool is_near = (fit.missing.size() + fit.misshapen.size()) * 2 < wanted.size();
  std::string text;
  if (is_near && differs_in_head_alone(fit)) {
    text = fmt::format("is {}{} but for its head", name, behind);
  } else if (is_near) {
    text = fmt::format("is {}{} but for {} of {} tensors", name, behind, fit.differences(), wanted.size());
  } else {
    text = fmt::format("is none of the models; nearest is {}{} of which {} of {} tensors are there", name,
                       behind.empty() ? "," : behind, fit.there, wanted.size());
  }
  if (differs_in_dtypes_alone(fit)) text += ", whose dtypes are none of weights";
  const std::vector<int> blocks = blocks_of(nearest.tensors()), models = blocks_of(wanted);
  if (blocks.size() > models.size())
    text += fmt::format(", and has {} stages where {} has {}", blocks.size(), model.architecture, models.size());
  else if (!blocks.empty() && blocks != models)
    text += fmt::format(", and has {} blocks in its stages where {} has {}", fmt::join(blocks, ", "),
                        model.architecture, fmt::join(models, ", "));
  return text;
}

std::string describe_misfit(const FoundModel& nearest) {
  return fmt::format("{}: {}", summarise_misfit(nearest), to_sentence(nearest.match.fit, kFew));
}

std::string describe_stranger(size_t names) {
  return names == 0 ? "holds no tensors"
                    : fmt::format("is no ResNet: none of its {} is one of ours", plural(names, "name", "names"));
}

}  // namespace resflow
