#include "io/checkpoint/description.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"

namespace resflow {
namespace {

// What a later version may have, this one has to refuse: the network would be another.
void check_word(std::string_view what, const std::string& word, const std::array<std::string_view, 2>& known) {
  if (word.empty() || std::find(known.begin(), known.end(), word) != known.end()) return;
  throw data_error("its model has the {} \"{}\", this resflow knows {} and {}", what, printable(word), known[0],
                   known[1]);
}

}  // namespace

void check_model(const ModelDescription& model) {
  constexpr int64_t kMostClasses = 1 << 24, kMostChannels = 1 << 20;
  const auto check = [](const char* what, int64_t value, int64_t low, int64_t high) {
    if (value < low || value > high) throw data_error("its model has {} {}, wanted {} to {}", what, value, low, high);
  };
  check("num_classes", model.num_classes, 1, kMostClasses);
  check("groups", model.groups, 0, kMostChannels);
  check("width_per_group", model.width_per_group, 0, kMostChannels);
  check("channels", model.channels, 0, kMostChannels);
  check("norm_groups", model.norm_groups, 0, kMostChannels);
  check("stages", static_cast<int64_t>(model.layers.size()), 0, kMostStages);
  for (const int64_t blocks : model.layers) check("blocks in a stage", blocks, 1, kMostBlocks);
  check_word("block", model.block, {"basic", "bottleneck"});
  check_word("norm", model.norm, {"batch", "group"});
  check_word("shortcut", model.shortcut, {"projection", "padding"});
  check_word("stem", model.stem, {"imagenet", "cifar"});
}

void check_preprocessing(const Preprocessing& p) {
  constexpr float kFarthest = 1e6F, kSmallest = 1e-6F;  // of pixels from 0 to 1
  const auto check = [](const char* what, int side, int most) {
    if (side < 1 || side > most) throw data_error("its preprocessing: {} {}, wanted 1 to {}", what, side, most);
  };
  check("resize", p.resize, kMaxPictureSide);
  check("crop", p.crop, kMaxCrop);
  if (p.mean.size() != 3 || p.std.size() != 3)
    throw data_error("its preprocessing has {} means and {} deviations, wanted 3 of each", p.mean.size(), p.std.size());
  for (const float mean : p.mean)
    if (!(std::abs(mean) <= kFarthest))
      throw data_error("its preprocessing: mean {}, wanted {} to {}", mean, -kFarthest, kFarthest);
  for (const float deviation : p.std)
    if (!(deviation >= kSmallest && deviation <= kFarthest))
      throw data_error("its preprocessing: std {}, wanted {} to {}", deviation, kSmallest, kFarthest);
  if (p.interpolation != "bilinear" && p.interpolation != "bicubic")
    throw data_error("its pictures want to be resized {}, this resflow resizes bilinear and bicubic only",
                     p.interpolation);
}

int resize_of_part(int image_size, double part) {
  return static_cast<int>(std::min(std::floor(image_size / part), double{kMaxPictureSide}));
}

Preprocessing scaled_preprocessing(const Preprocessing& preprocessing, int image_size) {
  check_preprocessing(preprocessing);
  const int64_t resize = int64_t{image_size} * preprocessing.resize / preprocessing.crop;
  if (resize > kMaxPictureSide)
    throw data_error("its preprocessing: resize {} for a crop {} would be {} for a crop {}, wanted at most {}",
                     preprocessing.resize, preprocessing.crop, resize, image_size, kMaxPictureSide);
  Preprocessing scaled = preprocessing;
  scaled.resize = static_cast<int>(std::max<int64_t>(resize, 1));
  scaled.crop = image_size;
  return scaled;
}

std::string head_name(Head::Kind kind) { return kind == Head::Kind::kSoftmax ? "softmax" : "one_vs_rest"; }

Head::Kind head_of_name(const std::string& name) {
  for (const Head::Kind kind : {Head::Kind::kSoftmax, Head::Kind::kOneVsRest})
    if (name == head_name(kind)) return kind;
  throw data_error("its outputs are of the kind \"{}\", this resflow knows softmax and one_vs_rest", name);
}

void check_head(const Head& head, int64_t classes) {
  const auto wanted = head.kind == Head::Kind::kSoftmax ? size_t{0} : static_cast<size_t>(classes);
  if (head.platt_a.size() != wanted || head.platt_b.size() != wanted)
    throw data_error("its {} head has {} and {} of Platt's A and B, wanted {}", head_name(head.kind),
                     head.platt_a.size(), head.platt_b.size(), wanted);
  for (const auto* values : {&head.platt_a, &head.platt_b})
    if (!std::all_of(values->begin(), values->end(), [](double v) { return std::isfinite(v); }))
      throw data_error("its {} head has values of Platt's A and B that are no numbers", head_name(head.kind));
}

void check_quantization(const Quantization& quantization) {
  if (quantization.pictures < 1)
    throw data_error("its activations were seen in {} pictures, wanted at least 1", quantization.pictures);
  std::unordered_set<std::string_view> names;
  for (const auto& [name, low, high] : quantization.activations) {
    if (!std::isfinite(low) || !std::isfinite(high) || low > high)
      throw data_error("the range of its activation {} is {} to {}", name, low, high);
    if (!names.insert(name).second) throw data_error("the range of its activation {} stands there twice", name);
  }
}

}  // namespace resflow
