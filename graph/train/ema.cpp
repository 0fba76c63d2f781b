#include "graph/train/ema.h"

#include <algorithm>
#include <span>
#include <string>

#include "graph/plan/placement.h"
#include "io/core/error.h"
#include "ops/vector_math.h"

namespace resflow {
namespace {

constexpr const char* kSuffix = "/ema";

size_t aligned(size_t bytes) { return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment; }

bool averaged(const Parameter& parameter) { return !parameter.is_count && !parameter.frozen; }

size_t bytes_of(const Model& model) {
  size_t bytes = 0;
  for (const auto& parameter : model.parameters())
    if (averaged(*parameter)) bytes += aligned(parameter->value.bytes());
  return bytes;
}

}  // namespace

Ema::Ema(const Model& model, double decay)
    : compute_(model.compute()), decay_(decay), arena_(bytes_of(model), model.compute()) {
  if (!(decay >= 0 && decay < 1)) throw usage_error("decay of the average is {}: wanted 0 to below 1", decay);
  std::byte* place = arena_.data();
  for (const auto& parameter : model.parameters()) {
    if (!averaged(*parameter)) continue;
    entries_.push_back({.parameter = parameter.get(),
                        .average = Tensor(parameter->name + kSuffix, parameter->value, place, compute_),
                        .elements = parameter->value.bytes() / sizeof(float)});
    place += aligned(parameter->value.bytes());
  }
}

void Ema::update() {
  for (const Entry& entry : entries_) {
    const std::span<const float> values(entry.parameter->value.data(), entry.elements);
    if (empty_)
      std::copy(values.begin(), values.end(), entry.average.data());
    else
      blend(compute_, entry.average.data(), values, decay_);
  }
  empty_ = false;
}

void Ema::swap() {
  if (empty_) return;
  for (const Entry& entry : entries_)
    exchange(compute_, {entry.parameter->value.data(), entry.elements}, {entry.average.data(), entry.elements});
  for (const Entry& entry : entries_) ++entry.parameter->version;
}

std::vector<NamedArray> Ema::state() const {
  std::vector<NamedArray> state;
  if (empty_) return state;
  for (const Entry& entry : entries_) state.push_back({entry.average.name(), entry.average.export_to_array(compute_)});
  return state;
}

void Ema::take(std::vector<NamedArray>& state) {
  const auto theirs = std::stable_partition(state.begin(), state.end(),
                                            [](const NamedArray& value) { return !value.name.ends_with(kSuffix); });
  if (theirs != state.end()) {
    for (const Entry& entry : entries_) {
      const auto found =
          std::find_if(theirs, state.end(), [&](const NamedArray& v) { return v.name == entry.average.name(); });
      if (found == state.end()) throw data_error("{} is missing: the run's average is not whole", entry.average.name());
      Tensor average = entry.average;  // a handle of the same memory
      average.import_from(found->array, compute_);
    }
    empty_ = false;
  }
  state.erase(theirs, state.end());
}

}  // namespace resflow
