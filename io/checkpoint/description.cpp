#include "io/checkpoint/description.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "io/core/error.h"

namespace resflow {

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
