#include "graph/train/optimizer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "graph/train/require.h"
#include "io/core/error.h"
#include "ops/vector_math.h"

namespace resflow {
namespace {

std::vector<std::string> slot_names(const OptimizerOptions& options) {
  if (options.name == "sgd" || options.name == "lars") {
    if (options.momentum == 0.0) return {};
    return {"momentum_buffer"};
  }
  if (options.name == "rmsprop") {
    if (options.momentum == 0.0) return {"square_avg"};
    return {"square_avg", "momentum_buffer"};
  }
  return {"exp_avg", "exp_avg_sq"};
}

size_t elements(const std::vector<Bucket>& buckets) {
  size_t sum = 0;
  for (const Bucket& bucket : buckets) sum += bucket.elements;
  return sum;
}

OptimizerOptions checked(const OptimizerOptions& options) {
  check(options);
  return options;
}

}  // namespace

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"adam", "adamw", "sgd", "rmsprop", "lars", "lamb"};
  return names;
}

void check(const OptimizerOptions& o) {
  const std::vector<std::string>& names = optimizer_names();
  if (std::find(names.begin(), names.end(), o.name) == names.end())
    throw usage_error("no optimizer is called \"{}\": there are {}", o.name, fmt::join(names, ", "));
  // Negated comparisons would let NaN pass.
  require(o.lr >= 0, "lr", o.lr, "at least 0");
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay, "at least 0");
  require(o.momentum >= 0, "momentum", o.momentum, "at least 0");
  require(o.beta1 >= 0 && o.beta1 < 1, "beta1", o.beta1, "0 to below 1");
  require(o.beta2 >= 0 && o.beta2 < 1, "beta2", o.beta2, "0 to below 1");
  require(o.trust > 0, "trust", o.trust, "above 0");
  require(o.alpha >= 0 && o.alpha < 1, "alpha", o.alpha, "0 to below 1");
  require(o.eps >= 0, "eps", o.eps, "at least 0");
  require(o.clip_norm >= 0, "clip norm", o.clip_norm, "at least 0");
  if (o.nesterov && (o.momentum <= 0 || o.dampening != 0))
    throw usage_error("nesterov with momentum {} and dampening {}: wanted a momentum above 0 and dampening 0",
                      o.momentum, o.dampening);
}

Optimizer::Optimizer(const OptimizerOptions& options, const std::vector<Bucket>& buckets, const Compute& compute)
    : options_(checked(options)),
      compute_(compute),
      slot_names_(slot_names(options)),
      state_(elements(buckets) * sizeof(float) * slot_names_.size(), compute) {
  // A bucket's slots lie together: one update streams through few places of memory.
  auto* place = reinterpret_cast<float*>(state_.data());
  for (const Bucket& bucket : buckets) {
    std::vector<UpdateSlice>& slices = slices_.emplace_back();
    std::vector<size_t>& offsets = offsets_.emplace_back();
    for (const Parameter* parameter : bucket.parameters) {
      const size_t offset = bucket_offset(bucket, *parameter);
      UpdateSlice slice = {.value = parameter->value.data(),
                           .elements = parameter->value.bytes() / sizeof(float),
                           .decay = parameter->decay,
                           .lr_scale = parameter->lr_scale};
      for (size_t slot = 0; slot < slot_names_.size(); ++slot) {
        float* const at = place + slot * bucket.elements + offset;
        (slot == 0 ? slice.state0 : slice.state1) = at;
        const std::string name = parameter->name + "/" + slot_names_[slot];
        slots_.push_back({name, Tensor(name, parameter->value, at, compute_)});
      }
      slices.push_back(slice);
      offsets.push_back(offset);
    }
    place += slot_names_.size() * bucket.elements;
  }
}

double Optimizer::clip(const std::vector<Bucket>& buckets) {
  clipped_.clear();
  for (size_t b = 0; b < buckets.size(); ++b)
    for (size_t i = 0; i < slices_[b].size(); ++i)
      clipped_.emplace_back(buckets[b].gradients + offsets_[b][i], slices_[b][i].elements);
  const double before = norm(compute_, clipped_, partial_norms_);
  // torch's: 1e-6 keeps it finite where there is no gradient.
  const double factor = options_.clip_norm / (before + 1e-6);
  if (factor < 1)
    for (const Bucket& bucket : buckets)
      scale(compute_, {bucket.gradients, bucket.elements}, static_cast<float>(factor));
  return before;
}

void Optimizer::set_momentum(double momentum) {
  if (options_.name == "adam" || options_.name == "adamw" || options_.name == "lamb")
    options_.beta1 = momentum;
  else if (options_.momentum > 0)
    options_.momentum = momentum;
}

double Optimizer::norm_of(const float* values, size_t elements) {
  const std::span<const float> part(values, elements);
  return norm(compute_, std::span(&part, 1), partial_norms_);
}

void Optimizer::adapt_lars(std::vector<UpdateSlice>& slices) {
  for (UpdateSlice& slice : slices) {
    if (!slice.decay) continue;
    const double value = norm_of(slice.value, slice.elements), gradient = norm_of(slice.gradient, slice.elements);
    slice.trust = value > 0 && gradient > 0
                      ? options_.trust * value / (gradient + options_.weight_decay * value + options_.eps)
                      : 1;
  }
}

void Optimizer::adapt_lamb(std::vector<UpdateSlice>& slices) {
  for (UpdateSlice& slice : slices) {
    slice.gradient = slice.direction;
    if (!slice.decay) continue;
    const double value = norm_of(slice.value, slice.elements), step = norm_of(slice.direction, slice.elements);
    slice.trust = value > 0 && step > 0 ? value / step : 1;
  }
}

void Optimizer::apply(size_t index, const Bucket& bucket) {
  const OptimizerOptions& o = options_;
  // Another plan of the same model has its gradients elsewhere.
  std::vector<UpdateSlice>& slices = slices_[index];
  for (size_t i = 0; i < slices.size(); ++i) slices[i].gradient = bucket.gradients + offsets_[index][i];
  if (o.name == "lars") adapt_lars(slices);
  if (o.name == "sgd" || o.name == "lars") {
    sgd_update(compute_,
               {.lr = o.lr,
                .momentum = o.momentum,
                .dampening = o.dampening,
                .weight_decay = o.weight_decay,
                .nesterov = o.nesterov},
               steps_, slices);
  } else if (o.name == "lamb") {
    for (size_t i = 0; i < slices.size(); ++i) slices[i].direction = bucket.gradients + offsets_[index][i];
    lamb_direction(compute_, {.beta1 = o.beta1, .beta2 = o.beta2, .eps = o.eps, .weight_decay = o.weight_decay}, steps_,
                   slices);
    adapt_lamb(slices);
    sgd_update(compute_, {.lr = o.lr}, steps_, slices);
  } else if (o.name == "rmsprop") {
    rmsprop_update(compute_,
                   {.lr = o.lr, .alpha = o.alpha, .eps = o.eps, .weight_decay = o.weight_decay, .momentum = o.momentum},
                   slices);
  } else {
    adam_update(compute_,
                {.lr = o.lr,
                 .beta1 = o.beta1,
                 .beta2 = o.beta2,
                 .eps = o.eps,
                 .weight_decay = o.weight_decay,
                 .decoupled = o.name == "adamw"},
                steps_, slices);
  }
  for (Parameter* parameter : bucket.parameters) ++parameter->version;
}

std::vector<NamedArray> Optimizer::state() const {
  std::vector<NamedArray> state;
  state.reserve(slots_.size());
  for (const Slot& slot : slots_) state.push_back({slot.name, slot.tensor.export_to_array(compute_)});
  return state;
}

void Optimizer::load(const std::vector<NamedArray>& state, int64_t steps) {
  if (steps < 0) throw data_error("optimizer state after {} steps: wanted at least 0", steps);
  std::map<std::string, const Array*> found;
  std::vector<std::string> wrong;
  for (const NamedArray& value : state)
    if (!found.emplace(value.name, &value.array).second) wrong.push_back(value.name + " twice");
  std::vector<const Array*> values;
  for (const Slot& slot : slots_) {
    const auto at = found.find(slot.name);
    if (at == found.end()) {
      wrong.push_back(slot.name + " missing");
      continue;
    }
    values.push_back(at->second);
    if (at->second->dims() != slot.tensor.dims() || at->second->dtype() != DType::kF32)
      wrong.push_back(fmt::format("{} is {} {}, wanted f32 {}", slot.name, dtype_name(at->second->dtype()),
                                  to_string(at->second->dims()), to_string(slot.tensor.dims())));
    found.erase(at);
  }
  for (const auto& [name, array] : found) wrong.push_back(name + " unexpected");
  if (!wrong.empty())
    throw data_error("The optimizer state is not one of {} for this model: {}. Saved with another {}?", options_.name,
                     fmt::join(wrong, "; "), setting("optimizer"));
  for (size_t i = 0; i < slots_.size(); ++i) slots_[i].tensor.import_from(*values[i], compute_);
  steps_ = steps;
}

}  // namespace resflow
