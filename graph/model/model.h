// A network with its values: Graph + Parameters + the description that rebuilds it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/model/graph.h"
#include "io/checkpoint/description.h"
#include "io/core/named_array.h"
#include "ops/compute.h"
#include "ops/parameter.h"

namespace resflow {

class Model {
 public:
  // Builds the graph of `description` and zero parameters. `compute` outlives the model. Throws
  // Error{kUsage} for an unknown architecture or options that it does not have.
  Model(const ModelDescription& description, const Compute& compute);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const ModelDescription& description() const { return description_; }
  const Graph& graph() const { return graph_; }
  const Compute& compute() const { return compute_; }

  // torchvision's initialisation, keyed by (seed, parameter name): see graph/model/init.h.
  void initialise(uint64_t seed);

  // Ranges of activations, for plans of Precision::kInt8 (graph/plan/calibration.h); none of a model that is not
  // quantized.
  const std::optional<Quantization>& quantization() const { return quantization_; }
  void set_quantization(std::optional<Quantization> quantization) { quantization_ = std::move(quantization); }

  // In the order of torchvision's state_dict, buffers included.
  std::span<const std::unique_ptr<Parameter>> parameters() const { return parameters_; }
  Parameter& parameter(std::string_view name) const;  // Throws Error{kInternal} where absent.
  int64_t parameter_count() const;                    // learnt elements
  int64_t feature_count() const;                      // what the head reads: 512 of ResNet-34, 2048 of ResNet-50

  // Names, dims and dtypes must match one to one; else Error{kData} that lists missing, unexpected and
  // misshapen names (graph/model/recognise.h), and nothing is changed. num_batches_tracked is i64, a scalar, and 0
  // where it is absent; the rest f32.
  void load(const std::vector<NamedArray>& values);
  std::vector<NamedArray> state() const;

 private:
  void set(Parameter& parameter, const Array& value);

  ModelDescription description_;
  std::optional<Quantization> quantization_;
  const Compute& compute_;
  Graph graph_;
  std::vector<ParameterSpec> specs_;  // of parameters_, one to one
  std::vector<std::unique_ptr<Parameter>> parameters_;
  std::unordered_map<std::string_view, size_t> by_name_;  // keys live in specs_
};

}  // namespace resflow
