// How two files of weights differ.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "io/core/named_array.h"

namespace resflow {

struct ModelFacts;

struct WeightsDiff {
  struct Pair {
    std::string what, first, second;  // a name and what each says
  };
  struct Values {
    std::string name;
    int64_t differing = 0, of = 0;  // values
    double largest = 0;             // |difference|; NaN where one of the two is NaN and the other is not
  };
  std::vector<std::string> only_in_first, only_in_second;
  std::vector<Pair> shapes, dtypes;
  std::vector<Values> values;  // of tensors of one shape, largest difference first
  std::vector<Pair> facts;     // where both files say something, and not the same
  int64_t tensors = 0;         // by name in both

  bool same() const {
    return only_in_first.empty() && only_in_second.empty() && shapes.empty() && dtypes.empty() && values.empty() &&
           facts.empty();
  }
};

// Tensors are compared by name, whatever their order; values of one dtype by their bits.
WeightsDiff diff_weights(const std::vector<NamedArray>& first, const std::vector<NamedArray>& second);

// Adds what the files say about the model, its classes and preprocessing, and other metadata. Where weights come from
// is no difference between them.
void diff_facts(const ModelFacts& first, const ModelFacts& second, WeightsDiff& diff);

// For a terminal: lists are cut after twenty. `first` and `second` are the files' names.
std::string diff_text(const WeightsDiff& diff, const std::string& first, const std::string& second);
nlohmann::ordered_json diff_json(const WeightsDiff& diff);

}  // namespace resflow
