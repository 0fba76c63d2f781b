#include "apps/bench/layer_times.h"

#include <algorithm>

namespace resflow {

double LayerTime::of_roof(const Roof& roof) const {
  return std::max(1e-9 * operations / roof.gflops, 1e-9 * bytes / roof.gbytes_a_second) / seconds;
}

std::vector<LayerTime> layer_times(const std::vector<Plan::Row>& rows, const Plan::Profile& profile) {
  std::vector<LayerTime> layers;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Plan::Row& row = rows[i];
    const auto add = [&](bool backward, double seconds, int64_t multiply_adds, size_t bytes) {
      if (seconds <= 0) return;
      layers.push_back({.name = row.name,
                        .kind = row.kind,
                        .implementation = row.implementation,
                        .backward = backward,
                        .reorder = row.reorder,
                        .seconds = seconds,
                        .operations = 2.0 * static_cast<double>(multiply_adds),
                        .bytes = static_cast<double>(bytes)});
    };
    add(false, profile.steps[i].forward, row.multiply_adds, row.forward_bytes);
    add(true, profile.steps[i].backward, row.backward_multiply_adds, row.backward_bytes);
  }
  std::stable_sort(layers.begin(), layers.end(),
                   [](const LayerTime& a, const LayerTime& b) { return a.seconds > b.seconds; });
  return layers;
}

double sum_seconds(const std::vector<LayerTime>& layers) {
  double sum = 0;
  for (const LayerTime& layer : layers) sum += layer.seconds;
  return sum;
}

std::vector<KindTime> by_kind(const std::vector<LayerTime>& layers) {
  std::vector<KindTime> kinds;
  for (const LayerTime& layer : layers) {
    // The kinds of steps that only backward has begin with "backward" already.
    const std::string name =
        layer.backward && !layer.kind.starts_with("backward ") ? "backward " + layer.kind : layer.kind;
    auto found = std::find_if(kinds.begin(), kinds.end(), [&](const KindTime& kind) { return kind.kind == name; });
    if (found == kinds.end()) found = kinds.insert(kinds.end(), {.kind = name});
    ++found->count;
    found->seconds += layer.seconds;
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const KindTime& a, const KindTime& b) { return a.seconds > b.seconds; });
  return kinds;
}

}  // namespace resflow
