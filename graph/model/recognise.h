// Which model a list of tensors is, by names and dims alone, and what of it does not fit a model.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/model/graph.h"
#include "io/checkpoint/description.h"
#include "io/core/named_array.h"

namespace resflow {

// How tensors differ from what a model wants. They fit if every list in it is empty.
struct WeightsFit {
  struct Misshapen {
    TensorEntry got, wanted;  // of one name
  };
  std::vector<std::string> missing;     // in the model's order
  std::vector<std::string> unexpected;  // in the file's order; a name that comes twice is unexpected the second time
  std::vector<Misshapen> misshapen;     // in the file's order
  // Batch norms without num_batches_tracked. Files of PyTorch before 0.4.1 have none: it is then 0, and no error.
  int64_t counts_absent = 0;
  int64_t there = 0;  // tensors that are as the model wants them

  bool fits() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  // fc.weight and fc.bias are missing, and nothing else differs: a network without its last layer.
  bool lacks_head_alone() const;
  size_t differences() const { return missing.size() + unexpected.size() + misshapen.size(); }
};

// kExact: f32 and i64, as Model::load takes them. kConvertible: any floats for f32, any numbers for i64, and one
// element of any dims for a scalar, as torch's load_state_dict has it.
enum class DTypeRule { kExact, kConvertible };

WeightsFit compare_weights(const std::vector<ParameterSpec>& wanted, std::span<const TensorEntry> tensors,
                           DTypeRule rule);
// Throws Error{kUsage} as build_model does.
WeightsFit compare_weights(const ModelDescription& description, std::span<const TensorEntry> tensors, DTypeRule rule);

// "missing: a, b; unexpected: c; misshapen: d has f32 (7,512), model wants f32 (5,512)", the first `shown` of each and
// "and 12 more"; empty where all fits.
std::string to_sentence(const WeightsFit& fit, size_t shown = 20);

// A model of the zoo, and how it fits.
struct ModelMatch {
  ModelDescription description;  // as many classes as fc.weight has rows (1000 where there is none)
  WeightsFit fit;
};

// True where more of a model is there in `a`, or as much and less differs.
bool is_nearer(const WeightsFit& a, const WeightsFit& b);

// The model of which most is there (DTypeRule::kConvertible), and of several such the one that differs least: the one
// that the tensors show (graph/model/read_structure.h), or one of torchvision's. Strides and dilation leave no trace in
// weights: they are taken to be torchvision's defaults.
ModelMatch recognise_model(std::span<const TensorEntry> tensors);

// Of `architecture`, with as many classes as fc.weight has rows, and with what the tensors show beside the name: its
// norm, say. Throws Error{kUsage} for an unknown one.
ModelMatch match_model(std::string_view architecture, std::span<const TensorEntry> tensors);

// Names, dtypes and dims of arrays.
std::vector<TensorEntry> entries_of(std::span<const NamedArray> arrays);

}  // namespace resflow
