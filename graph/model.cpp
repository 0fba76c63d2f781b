#include "graph/model.h"

#include <fmt/ranges.h>
#include <oneapi/tbb/parallel_for.h>

#include "graph/init.h"
#include "graph/model_zoo.h"
#include "io/error.h"

namespace resflow {
namespace {

std::string described(DType dtype, const Dims& dims) {
  return fmt::format("{} {}", dtype_name(dtype), to_string(dims));
}

// "missing: a, b", where there are any.
void list(std::vector<std::string>& sentences, const char* what, const std::vector<std::string>& names) {
  if (!names.empty()) sentences.push_back(fmt::format("{}: {}", what, fmt::join(names, ", ")));
}

}  // namespace

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

void Model::load(const std::vector<NamedArray>& values) {
  std::vector<std::string> missing, unexpected, misshapen;
  std::vector<const Array*> found(specs_.size());
  for (const NamedArray& value : values) {
    const auto at = by_name_.find(value.name);
    if (at == by_name_.end() || found[at->second] != nullptr) {
      unexpected.push_back(value.name);
      continue;
    }
    const ParameterSpec& spec = specs_[at->second];
    found[at->second] = &value.array;
    if (value.array.dims() != spec.dims || value.array.dtype() != spec.dtype)
      misshapen.push_back(fmt::format("{} has {}, model wants {}", value.name,
                                      described(value.array.dtype(), value.array.dims()),
                                      described(spec.dtype, spec.dims)));
  }
  for (size_t i = 0; i < specs_.size(); ++i)
    if (found[i] == nullptr) missing.push_back(specs_[i].name);

  std::vector<std::string> sentences;
  list(sentences, "missing", missing);
  list(sentences, "unexpected", unexpected);
  list(sentences, "misshapen", misshapen);
  if (!sentences.empty())
    throw data_error("The weights are not those of {} with {} classes: {}. Trained with another --model?",
                     description_.architecture, description_.num_classes, fmt::join(sentences, "; "));
  for (size_t i = 0; i < specs_.size(); ++i) set(*parameters_[i], *found[i]);
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
