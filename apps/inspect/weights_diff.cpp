#include "apps/inspect/weights_diff.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "apps/inspect/model_summary.h"
#include "apps/model/model_file.h"
#include "graph/model/model_zoo.h"
#include "io/core/convert_dtype.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr size_t kShownDifferences = 20;

template <class T>
void compare(const Array& first, const Array& second, WeightsDiff::Values& found) {
  using Bits = std::conditional_t<sizeof(T) == sizeof(uint32_t), uint32_t, uint64_t>;
  const auto a = first.values<T>(), b = second.values<T>();
  bool one_is_nan = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<Bits>(a[i]) == std::bit_cast<Bits>(b[i])) continue;
    ++found.differing;
    if (a[i] == b[i]) continue;  // the two zeros
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (std::isnan(difference))
      one_is_nan = true;
    else
      found.largest = std::max(found.largest, difference);
  }
  if (one_is_nan) found.largest = std::nan("");
}

// Narrower dtypes go through f32 or i64, which hold them exactly.
WeightsDiff::Values compare_values(const std::string& name, const Array& first, const Array& second) {
  WeightsDiff::Values found = {.name = name, .differing = 0, .of = first.size(), .largest = 0};
  if (first == second) return found;
  if (first.dtype() == DType::kF64 && second.dtype() == DType::kF64) {
    compare<double>(first, second, found);
    return found;
  }
  const Array a = as_model_dtype(first), b = as_model_dtype(second);
  if (a.dtype() != b.dtype()) return found;  // floats and integers: the dtypes say it
  if (a.dtype() == DType::kF32)
    compare<float>(a, b, found);
  else
    compare<int64_t>(a, b, found);
  return found;
}

void sort_worst_first(std::vector<WeightsDiff::Values>& values) {
  const auto rank = [](const WeightsDiff::Values& v) { return std::isnan(v.largest) ? HUGE_VAL : v.largest; };
  std::stable_sort(values.begin(), values.end(), [&](const auto& a, const auto& b) { return rank(a) > rank(b); });
}

void add_fact(const std::string& what, std::string first, std::string second, WeightsDiff& diff) {
  if (first != second) diff.facts.push_back({what, std::move(first), std::move(second)});
}

void diff_classes(const std::vector<std::string>& first, const std::vector<std::string>& second, WeightsDiff& diff) {
  if (first.size() != second.size())
    add_fact("class names", std::to_string(first.size()), std::to_string(second.size()), diff);
  for (size_t i = 0; i < std::min(first.size(), second.size()); ++i)
    add_fact(fmt::format("class {}", i), first[i], second[i], diff);
}

void add_pairs(std::string_view what, const std::vector<WeightsDiff::Pair>& pairs, std::string& text) {
  if (pairs.empty()) return;
  fmt::format_to(std::back_inserter(text), "\n{}\n", what);
  for (size_t i = 0; i < std::min(kShownDifferences, pairs.size()); ++i)
    fmt::format_to(std::back_inserter(text), "  {}: {} | {}\n", printable(pairs[i].what), printable(pairs[i].first),
                   printable(pairs[i].second));
  if (pairs.size() > kShownDifferences)
    fmt::format_to(std::back_inserter(text), "  ... and {} more\n", pairs.size() - kShownDifferences);
}

void add_names(const std::string& file, const std::vector<std::string>& names, std::string& text) {
  if (names.empty()) return;
  text += format_printable("\nonly in {}\n", file);
  for (size_t i = 0; i < std::min(kShownDifferences, names.size()); ++i)
    fmt::format_to(std::back_inserter(text), "  {}\n", printable(names[i]));
  if (names.size() > kShownDifferences)
    fmt::format_to(std::back_inserter(text), "  ... and {} more\n", names.size() - kShownDifferences);
}

nlohmann::ordered_json pairs_json(const std::vector<WeightsDiff::Pair>& pairs) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& p : pairs) list.push_back({{"what", p.what}, {"first", p.first}, {"second", p.second}});
  return list;
}

}  // namespace

WeightsDiff diff_weights(const std::vector<NamedArray>& first, const std::vector<NamedArray>& second) {
  WeightsDiff diff;
  std::unordered_map<std::string_view, const Array*> others;
  for (const auto& [name, array] : second) others.emplace(name, &array);
  for (const auto& [name, array] : first) {
    const auto at = others.find(name);
    if (at == others.end()) {
      diff.only_in_first.push_back(name);
      continue;
    }
    ++diff.tensors;
    const Array& other = *at->second;
    others.erase(at);
    if (array.dtype() != other.dtype())
      diff.dtypes.push_back({name, std::string(dtype_name(array.dtype())), std::string(dtype_name(other.dtype()))});
    if (array.dims() != other.dims()) {
      diff.shapes.push_back({name, to_string(array.dims()), to_string(other.dims())});
      continue;
    }
    if (WeightsDiff::Values values = compare_values(name, array, other); values.differing > 0)
      diff.values.push_back(std::move(values));
  }
  for (const auto& [name, array] : second)
    if (others.contains(name)) diff.only_in_second.push_back(name);
  sort_worst_first(diff.values);
  return diff;
}

void diff_facts(const ModelFacts& first, const ModelFacts& second, WeightsDiff& diff) {
  if (first.match.fit.fits() && second.match.fit.fits())
    add_fact("model", to_text(first.match.description), to_text(second.match.description), diff);
  if (first.classes && second.classes) diff_classes(*first.classes, *second.classes, diff);
  if (first.preprocessing && second.preprocessing) {
    const auto text = [](const Preprocessing& p) {
      return to_texts({.model = {}, .classes = {}, .preprocessing = p, .provenance = {}})[0].second;
    };
    add_fact("preprocessing", text(*first.preprocessing), text(*second.preprocessing), diff);
  }
  // A .pth file has no place for a head and for ranges, so it cannot differ in them.
  if (first.summary.format != WeightsFormat::kPth && second.summary.format != WeightsFormat::kPth) {
    const auto text = [](const Head& head) {
      if (head.kind == Head::Kind::kSoftmax) return head_name(head.kind);
      return fmt::format("{}, A {}, B {}", head_name(head.kind), fmt::join(head.platt_a, " "),
                         fmt::join(head.platt_b, " "));
    };
    add_fact("head", text(first.head), text(second.head), diff);
    const auto ranges = [](const std::optional<Quantization>& quantization) {
      ModelMetadata metadata;
      metadata.quantization = quantization;
      return quantization ? to_texts(metadata)[0].second : std::string("none");
    };
    add_fact("quantization", ranges(first.quantization), ranges(second.quantization), diff);
  }
  const std::map<std::string, std::string> others(second.summary.metadata.begin(), second.summary.metadata.end());
  for (const auto& [key, text] : first.summary.metadata)
    if (!is_model_key(key) && others.contains(key)) add_fact("metadata " + key, text, others.at(key), diff);
}

std::string diff_text(const WeightsDiff& diff, const std::string& first, const std::string& second) {
  std::string text;
  if (diff.same()) {
    text += format_printable("{} and {} are the same: {}, equal to the bit\n", first, second,
                             plural(diff.tensors, "tensor", "tensors"));
    return text;
  }
  text += format_printable("{} and {} differ: {} in both\n", first, second, plural(diff.tensors, "tensor", "tensors"));
  add_names(first, diff.only_in_first, text);
  add_names(second, diff.only_in_second, text);
  add_pairs("shapes", diff.shapes, text);
  add_pairs("dtypes", diff.dtypes, text);
  if (!diff.values.empty()) {
    fmt::format_to(std::back_inserter(text), "\nvalues: {} of {} differ, the worst first\n", diff.values.size(),
                   plural(diff.tensors, "tensor", "tensors"));
    for (size_t i = 0; i < std::min(kShownDifferences, diff.values.size()); ++i) {
      const auto& v = diff.values[i];
      fmt::format_to(std::back_inserter(text), "  {:44} max |difference| {:<12.6g} {} of {} values\n",
                     printable(v.name), v.largest, format_count(v.differing), format_count(v.of));
    }
    if (diff.values.size() > kShownDifferences)
      fmt::format_to(std::back_inserter(text), "  ... and {} more\n", diff.values.size() - kShownDifferences);
  }
  add_pairs("what the files say", diff.facts, text);
  return text;
}

nlohmann::ordered_json diff_json(const WeightsDiff& diff) {
  nlohmann::ordered_json json = {{"same", diff.same()},
                                 {"tensors_in_both", diff.tensors},
                                 {"only_in_first", diff.only_in_first},
                                 {"only_in_second", diff.only_in_second},
                                 {"shapes", pairs_json(diff.shapes)},
                                 {"dtypes", pairs_json(diff.dtypes)},
                                 {"values", nlohmann::ordered_json::array()},
                                 {"facts", pairs_json(diff.facts)}};
  for (const auto& v : diff.values)
    json["values"].push_back(
        {{"name", v.name}, {"max_difference", v.largest}, {"differing", v.differing}, {"of", v.of}});
  return json;
}

}  // namespace resflow
