#include "graph/model/model.h"

#include <oneapi/tbb/parallel_for.h>

#include "graph/model/init.h"
#include "graph/model/model_zoo.h"
#include "graph/model/recognise.h"
#include "io/core/error.h"

namespace resflow {

Model::Model(const ModelDescription& description, const Compute& compute)
    : description_(description), compute_(compute), graph_(build_model(description)), specs_(graph_.parameters()) {
  for (const ParameterSpec& spec : specs_) {
    by_name_.emplace(spec.name, parameters_.size());
    auto parameter = std::make_unique<Parameter>();
    parameter->name = spec.name;
    parameter->learnt = spec.learnt;
    parameter->is_count = spec.dtype == DType::kI64;
    if (!parameter->is_count) parameter->value = Tensor(spec.name, plain_desc(spec.dims), compute_);
    parameters_.push_back(std::move(parameter));
  }
}

void Model::initialise(uint64_t seed) {
  std::vector<Array> values(specs_.size());
  compute_.run([&] {
    tbb::parallel_for(size_t{0}, specs_.size(), [&](size_t i) { values[i] = initial_value(specs_[i], seed); });
  });
  for (size_t i = 0; i < specs_.size(); ++i) set(*parameters_[i], values[i]);
}

Parameter& Model::parameter(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) throw internal_error("{} has no parameter {}", description_.architecture, name);
  return *parameters_[found->second];
}

int64_t Model::parameter_count() const {
  int64_t count = 0;
  for (const ParameterSpec& spec : specs_)
    if (spec.learnt) count += element_count(spec.dims);
  return count;
}

int64_t Model::feature_count() const { return std::get<LinearNode>(graph_.nodes().back().kind).in; }

void Model::load(const std::vector<NamedArray>& values) {
  const WeightsFit fit = compare_weights(specs_, entries_of(values), DTypeRule::kExact);
  if (!fit.fits())
    throw data_error("The weights are not those of {} with {} classes: {}. Trained with another {}?",
                     description_.architecture, description_.num_classes, to_sentence(fit), setting("model"));
  for (const auto& parameter : parameters_)
    if (parameter->is_count) parameter->count = 0;
  for (const NamedArray& value : values) set(parameter(value.name), value.array);
}

std::vector<NamedArray> Model::state() const {
  std::vector<NamedArray> state;
  state.reserve(specs_.size());
  for (const auto& parameter : parameters_) {
    if (parameter->is_count) {
      state.push_back({parameter->name, Array::from<int64_t>({}, std::span<const int64_t>(&parameter->count, 1))});
    } else {
      state.push_back({parameter->name, parameter->value.export_to_array(compute_)});
    }
  }
  return state;
}

void Model::set(Parameter& parameter, const Array& value) {
  if (parameter.is_count) {
    parameter.count = value.values<int64_t>()[0];
  } else {
    parameter.value.import_from(value, compute_);
  }
  ++parameter.version;
}

}  // namespace resflow
