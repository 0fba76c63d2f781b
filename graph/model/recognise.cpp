#include "graph/model/recognise.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "graph/model/model_zoo.h"
#include "graph/model/read_structure.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr std::string_view kCountName = ".num_batches_tracked";
constexpr size_t kNameBytes = 300;  // of a name and its dims in a sentence

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF64 || dtype == DType::kF16 || dtype == DType::kBF16;
}

bool dtype_fits(DType got, DType wanted, DTypeRule rule) {
  return got == wanted || (rule == DTypeRule::kConvertible && (is_float(got) || !is_float(wanted)));
}

bool dims_fit(const Dims& got, const Dims& wanted, DTypeRule rule) {
  return got == wanted || (rule == DTypeRule::kConvertible && wanted.empty() && element_count(got) == 1);
}

int64_t class_count(std::span<const TensorEntry> tensors) {
  const auto fc = std::find_if(tensors.begin(), tensors.end(), [](const TensorEntry& t) {
    return t.name == "fc.weight" && t.dims.size() == 2 && t.dims[0] >= 1;
  });
  return fc == tensors.end() ? ModelDescription().num_classes : fc->dims[0];
}

std::string described(const TensorEntry& tensor) {
  return fmt::format("{} {}", dtype_name(tensor.dtype), to_string(tensor.dims));
}

void list(std::vector<std::string>& parts, std::string_view what, std::span<const std::string> names, size_t shown) {
  if (names.empty()) return;
  std::vector<std::string> list;
  list.reserve(names.size());
  for (const std::string& name : names) list.push_back(printable(name, kNameBytes));
  parts.push_back(fmt::format("{}: {}", what, first_few(list, shown)));
}

// The network that the tensors show, where they show one that can be built.
std::optional<ModelMatch> match_structure(std::span<const TensorEntry> tensors) {
  const std::optional<ResNetOptions> options = read_structure(tensors);
  if (!options) return std::nullopt;
  try {
    ModelMatch match;
    match.description = describe(*options);
    match.fit = compare_weights(match.description, tensors, DTypeRule::kConvertible);
    return match;
  } catch (const Error&) {  // numbers that no network has
    return std::nullopt;
  }
}

}  // namespace

bool WeightsFit::lacks_head_alone() const {
  constexpr std::array<std::string_view, 2> kHead = {"fc.weight", "fc.bias"};
  return unexpected.empty() && misshapen.empty() && std::ranges::equal(missing, kHead);
}

WeightsFit compare_weights(const std::vector<ParameterSpec>& wanted, std::span<const TensorEntry> tensors,
                           DTypeRule rule) {
  std::unordered_map<std::string_view, size_t> by_name;
  for (size_t i = 0; i < wanted.size(); ++i) by_name.emplace(wanted[i].name, i);
  std::vector<bool> found(wanted.size());
  WeightsFit fit;
  for (const TensorEntry& tensor : tensors) {
    const auto at = by_name.find(tensor.name);
    if (at == by_name.end() || found[at->second]) {
      fit.unexpected.push_back(tensor.name);
      continue;
    }
    found[at->second] = true;
    const ParameterSpec& spec = wanted[at->second];
    if (dims_fit(tensor.dims, spec.dims, rule) && dtype_fits(tensor.dtype, spec.dtype, rule))
      ++fit.there;
    else
      fit.misshapen.push_back({.got = tensor, .wanted = {spec.name, spec.dtype, spec.dims}});
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i]) continue;
    if (wanted[i].name.ends_with(kCountName))
      ++fit.counts_absent;
    else
      fit.missing.push_back(wanted[i].name);
  }
  return fit;
}

WeightsFit compare_weights(const ModelDescription& description, std::span<const TensorEntry> tensors, DTypeRule rule) {
  return compare_weights(build_model(description).parameters(), tensors, rule);
}

std::string to_sentence(const WeightsFit& fit, size_t shown) {
  std::vector<std::string> misshapen;
  misshapen.reserve(fit.misshapen.size());
  for (const auto& [got, wanted] : fit.misshapen)
    misshapen.push_back(
        fmt::format("{} has {}, model wants {}", printable(got.name), described(got), described(wanted)));
  std::vector<std::string> parts;
  list(parts, "missing", fit.missing, shown);
  list(parts, "unexpected", fit.unexpected, shown);
  list(parts, "misshapen", misshapen, shown);
  return fmt::format("{}", fmt::join(parts, "; "));
}

ModelMatch match_model(std::string_view architecture, std::span<const TensorEntry> tensors) {
  if (auto read = match_structure(tensors); read && read->description.architecture == architecture)
    return std::move(*read);
  ModelMatch match;
  match.description.architecture = architecture;
  match.description.num_classes = class_count(tensors);
  match.fit = compare_weights(match.description, tensors, DTypeRule::kConvertible);
  return match;
}

bool is_nearer(const WeightsFit& a, const WeightsFit& b) {
  return a.there != b.there ? a.there > b.there : a.differences() < b.differences();
}

ModelMatch recognise_model(std::span<const TensorEntry> tensors) {
  std::optional<ModelMatch> shown = match_structure(tensors), nearest;
  if (shown && (shown->fit.fits() || shown->fit.lacks_head_alone())) return std::move(*shown);
  for (const std::string& name : model_names()) {
    ModelMatch match = match_model(name, tensors);
    if (!nearest || is_nearer(match.fit, nearest->fit)) nearest = std::move(match);
    if (nearest->fit.fits()) break;
  }
  // Of a file that ends early a shorter network is shown than the one that it was: a name goes before that.
  if (shown && shown->fit.there > nearest->fit.there) return std::move(*shown);
  return std::move(nearest).value();
}

std::vector<TensorEntry> entries_of(std::span<const NamedArray> arrays) {
  std::vector<TensorEntry> entries;
  entries.reserve(arrays.size());
  for (const auto& [name, array] : arrays) entries.push_back({name, array.dtype(), array.dims()});
  return entries;
}

}  // namespace resflow
