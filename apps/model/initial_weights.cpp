#include "apps/model/initial_weights.h"

#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "apps/model/model_file.h"
#include "apps/model/pretrained.h"
#include "graph/model/init.h"
#include "graph/model/model_zoo.h"
#include "graph/model/recognise.h"
#include "io/core/convert_dtype.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file_sha256.h"

namespace resflow {
namespace {

constexpr const char* kHeadWeight = "fc.weight";
constexpr const char* kHeadBias = "fc.bias";

// The names that the patterns of weights_skip leave out.
class Skipped {
 public:
  explicit Skipped(const std::vector<std::string>& patterns) : patterns_(patterns) {}

  bool contains(const std::string& name) const {
    return std::any_of(patterns_.begin(), patterns_.end(),
                       [&](const std::string& pattern) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
  }

  // The differences that are left once the skipped names are taken off.
  WeightsFit rest_of(WeightsFit fit) const {
    std::erase_if(fit.missing, [&](const auto& name) { return contains(name); });
    std::erase_if(fit.unexpected, [&](const auto& name) { return contains(name); });
    std::erase_if(fit.misshapen, [&](const auto& m) { return contains(m.got.name); });
    return fit;
  }

  // Throws Error{kUsage} for a pattern that matches no name of the model and none of the file, which are `tensors` and
  // those that are left out beside them.
  void check(const std::vector<ParameterSpec>& specs, const std::vector<TensorEntry>& tensors,
             const std::vector<std::string>& left_out, const std::string& path, const std::string& architecture) const {
    for (const std::string& pattern : patterns_) {
      const Skipped one({pattern});
      const auto matches = [&](const auto& named) { return one.contains(named.name); };
      if (std::none_of(specs.begin(), specs.end(), matches) && std::none_of(tensors.begin(), tensors.end(), matches) &&
          std::none_of(left_out.begin(), left_out.end(), [&](const auto& name) { return one.contains(name); }))
        throw usage_error("{} '{}': matches no name in {} or in {}; a pattern is like 'layer4.*' or 'fc.*'",
                          setting("weights_skip"), pattern, path, architecture);
    }
  }

 private:
  std::vector<std::string> patterns_;
};

// The model that the weights are, or the one that comes nearest once the patterns are taken off.
ModelMatch choose_model(const std::vector<TensorEntry>& tensors, const Skipped& skipped) {
  std::optional<ModelMatch> best;
  std::tuple<bool, int64_t, size_t> best_rank;
  std::vector<ModelMatch> candidates = {recognise_model(tensors)};
  for (const std::string& name : model_names()) candidates.push_back(match_model(name, tensors));
  for (ModelMatch& match : candidates) {
    const size_t differences = match.fit.differences();
    match.fit = skipped.rest_of(std::move(match.fit));
    // Where two models fit the rest equally well, what was left out tells them apart.
    const std::tuple rank(!match.fit.fits(), -match.fit.there, differences);
    if (!best || rank < best_rank) {
      best = std::move(match);
      best_rank = rank;
    }
  }
  return std::move(best).value();
}

// What the file says of itself is believed as far as the tensors agree: strides leave no trace in them.
ModelMatch match_options(const InitialWeightsOptions& options, const std::vector<TensorEntry>& tensors,
                         const ModelFacts& facts, const Skipped& skipped) {
  const std::string& path = facts.path;
  ModelMatch match;
  const bool is_named = !options.architecture.empty() && options.architecture != kUnnamedModel;
  const bool is_whole = facts.match.fit.fits() || facts.match.fit.lacks_head_alone();
  if (is_whole && (!is_named || options.architecture == facts.match.description.architecture)) {
    match = facts.match;
  } else if (!is_named) {
    match = choose_model(tensors, skipped);
  } else {
    match = match_model(options.architecture, tensors);
    match.fit = skipped.rest_of(std::move(match.fit));
  }
  if (match.fit.fits() || match.fit.lacks_head_alone()) return match;
  constexpr size_t kFew = 5;
  std::string advice = setting("weights_skip") + " PATTERN leaves tensors out on purpose";
  if (options.architecture.empty()) {
    throw data_error("{}: {}; inspect shows more, and {}", path, describe_misfit(facts), advice);
  }
  const ModelMatch other = choose_model(tensors, skipped);
  if (other.fit.fits())
    advice = fmt::format("the weights fit {} {}, and {}", setting("model"), other.description.architecture, advice);
  throw data_error("{}: does not fit {} {}: {}; {}", path, setting("model"), options.architecture,
                   to_sentence(match.fit, kFew), advice);
}

// The network that training is to have: what the weights are, with what was given beside it. Tensors that do not fit
// that are an error.
ModelDescription trained_description(const InitialWeightsOptions& options, const ModelMatch& match,
                                     const std::vector<TensorEntry>& tensors, const Skipped& skipped,
                                     const std::string& path) {
  const ModelDescription& of_file = match.description;
  ModelDescription wanted = with_structure(of_file, options.structure);
  if (wanted == of_file) return wanted;
  const WeightsFit fit = skipped.rest_of(compare_weights(wanted, tensors, DTypeRule::kConvertible));
  if (!fit.fits() && !fit.lacks_head_alone())
    throw data_error("{}: is a {}, which does not fit {}: {}", path, to_text(of_file), given_text(options.structure),
                     to_sentence(fit));
  return wanted;
}

// Of each class of the data, the row of the weights' head that is of the same name; -1 where there is none.
std::vector<int64_t> rows_by_name(const std::vector<std::string>& of_weights, const std::vector<std::string>& of_data) {
  std::unordered_map<std::string_view, int64_t> by_name;
  for (size_t i = 0; i < of_weights.size(); ++i) by_name.emplace(of_weights[i], static_cast<int64_t>(i));
  std::vector<int64_t> rows;
  rows.reserve(of_data.size());
  for (const std::string& name : of_data) {
    const auto found = by_name.find(name);
    rows.push_back(found == by_name.end() ? -1 : found->second);
  }
  return rows;
}

// What becomes of the weights' head.
struct NewHead {
  bool is_new = false;  // initialised anew, but for `rows`
  // Of each class of the data the row of the weights' head that it keeps; -1: none. Empty: none of them keeps one.
  std::vector<int64_t> rows;
};

// Whether the head is initialised anew because the data have other classes than the weights.
NewHead replaces_head(const InitialWeightsOptions& options, const ModelMatch& match, const ModelFacts& facts,
                      const Skipped& skipped, InitialWeights& result, Listener& listener) {
  const bool skips_weight = skipped.contains(kHeadWeight), skips_bias = skipped.contains(kHeadBias);
  if (skips_weight && skips_bias) return {};  // counted with what else is left out
  const auto wanted = static_cast<int64_t>(options.classes.size()), has = match.description.num_classes;
  if (match.fit.lacks_head_alone()) {
    result.facts.emplace_back(
        "head", fmt::format("{} and {} are initialised anew: the weights have none", kHeadWeight, kHeadBias));
    return {.is_new = true, .rows = {}};
  }
  if (facts.classes && *facts.classes != options.classes && !skips_weight && !skips_bias) {
    std::vector<int64_t> rows = rows_by_name(*facts.classes, options.classes);
    const auto kept = wanted - std::count(rows.begin(), rows.end(), -1);
    if (kept > 0) {
      result.facts.emplace_back(
          "head", fmt::format("{} of {} rows kept, those of classes that the weights have by name", format_count(kept),
                              format_count(wanted)));
      return {.is_new = true, .rows = std::move(rows)};
    }
  }
  if (has != wanted) {
    result.facts.emplace_back(
        "head", fmt::format("{} and {} are initialised anew: the weights have {}, the data {}", kHeadWeight, kHeadBias,
                            plural(has, "class", "classes"), format_count(wanted)));
    return {.is_new = true, .rows = {}};
  }
  if (skips_weight || skips_bias) return {};
  result.facts.emplace_back(
      "head", fmt::format("kept: the weights have {}, as the data have", plural(has, "class", "classes")));
  if (facts.classes && *facts.classes != options.classes) {
    constexpr size_t kShown = 8;
    std::string which = "other classes than the data's";
    if (options.classes.size() <= kShown)
      which = fmt::format("the classes {}, the data have {}", fmt::join(*facts.classes, ", "),
                          fmt::join(options.classes, ", "));
    listener.warn(fmt::format("the head is that of {}: {} 'fc.*' starts it anew", which, setting("weights_skip")));
  }
  return {};
}

// `fresh`, with the rows that are kept from `old`. The old one is the weights' fc.weight or fc.bias.
Array with_rows(Array fresh, const Array& old, const std::vector<int64_t>& rows) {
  const size_t width = fresh.values<float>().size() / rows.size();
  const std::span<const float> from = old.values<float>();
  for (size_t row = 0; row < rows.size(); ++row) {
    if (rows[row] < 0) continue;
    std::copy_n(from.data() + static_cast<size_t>(rows[row]) * width, width,
                fresh.values<float>().data() + row * width);
  }
  return fresh;
}

// Where each of the model's values came from.
struct Taken {
  int64_t from_file = 0, left_out = 0;
  std::set<std::string_view> dtypes;  // of the file's floats
};

// The file's arrays are moved out of it: there is no second copy.
Taken take_values(const std::vector<ParameterSpec>& specs, std::vector<NamedArray>& tensors, const Skipped& skipped,
                  const NewHead& head, uint64_t seed, std::vector<NamedArray>& values) {
  std::unordered_map<std::string_view, Array*> in_file;
  for (NamedArray& tensor : tensors) in_file.emplace(tensor.name, &tensor.array);
  Taken taken;
  for (const ParameterSpec& spec : specs) {
    const auto found = in_file.find(spec.name);
    const bool is_skipped = skipped.contains(spec.name);
    const bool is_replaced = head.is_new && (spec.name == kHeadWeight || spec.name == kHeadBias);
    taken.left_out += is_skipped ? 1 : 0;
    if (is_replaced && !is_skipped && !head.rows.empty()) {
      values.push_back({spec.name, with_rows(initial_value(spec, seed), as_model_dtype(*found->second), head.rows)});
      continue;
    }
    if (is_skipped || is_replaced || found == in_file.end()) {
      values.push_back({spec.name, initial_value(spec, seed)});
      continue;
    }
    ++taken.from_file;
    if (spec.dtype == DType::kF32) taken.dtypes.insert(dtype_name(found->second->dtype()));
    values.push_back({spec.name, as_model_tensor(std::move(*found->second), spec.dtype, spec.dims)});
  }
  return taken;
}

// The file, and which of torchvision's entries it is, if any. Its hash tells, so its name may be any.
struct Origin {
  std::string path, sha256;
  const PretrainedWeights* entry = nullptr;

  std::string name() const {
    return entry != nullptr ? entry->name() : std::filesystem::path(path).filename().string();
  }
};

Origin origin_of(const std::string& path, const PretrainedFile& verified, const std::string& architecture) {
  Origin origin = {path, verified.weights != nullptr ? verified.sha256 : file_sha256(path)};
  origin.entry = verified.weights != nullptr ? verified.weights : pretrained_of_hash(origin.sha256);
  if (origin.entry != nullptr && origin.entry->model != architecture) origin.entry = nullptr;
  return origin;
}

std::string describe(const Origin& origin, const Taken& taken, size_t tensors) {
  std::set<std::string_view> converted = taken.dtypes;
  converted.erase(dtype_name(DType::kF32));
  return fmt::format("{}{}, {} of {} tensors{}", origin.path,
                     origin.entry != nullptr ? fmt::format(" ({})", origin.name()) : "", taken.from_file, tensors,
                     converted.empty() ? "" : fmt::format(", {} taken as f32", fmt::join(converted, " and ")));
}

void take_preprocessing(const Origin& origin, const ModelFacts& facts, const InitialWeightsOptions& options,
                        InitialWeights& result) {
  const bool is_known = origin.entry != nullptr || facts.preprocessing.has_value();
  const int usual = usual_image_size(result.description);
  result.image_size = origin.entry != nullptr ? origin.entry->train_size : usual;
  const int wanted = options.image_size != 0   ? options.image_size
                     : origin.entry != nullptr ? origin.entry->preprocessing().crop
                                               : usual;
  Preprocessing& p = result.preprocessing;
  p = scaled_preprocessing(origin.entry != nullptr
                               ? origin.entry->preprocessing()
                               : facts.preprocessing.value_or(usual_preprocessing(result.description, wanted)),
                           wanted);
  if (options.crop_pct != 0) p.resize = resize_of_part(p.crop, options.crop_pct);
  result.facts.emplace_back("evaluation", fmt::format("short side to {}, centre {} x {}, {}", p.resize, p.crop, p.crop,
                                                      options.crop_pct != 0 ? fmt::format("{} of it", options.crop_pct)
                                                      : is_known            ? "in the proportion of the weights"
                                                      : p.resize == p.crop ? "whole, with ImageNet's mean and deviation"
                                                                           : "as for ImageNet"));
}

}  // namespace

InitialWeights load_initial_weights(const InitialWeightsOptions& options, Listener& listener) {
  PretrainedFile pretrained;
  if (names_pretrained(options.weights)) pretrained = find_pretrained(options.weights);
  const std::string path = pretrained.weights != nullptr ? pretrained.path : options.weights;
  ModelFileOptions as_it_is;
  as_it_is.weights_key = options.key;
  as_it_is.weights_prefix = options.prefix;
  as_it_is.by_hash = false;
  const ModelFacts facts = model_facts(path, as_it_is, listener);
  for (const std::string& note : facts.notes) listener.warn(note);
  std::vector<NamedArray> tensors = read_nearest_values(facts);
  const std::vector<TensorEntry> entries = entries_of(tensors);
  const Skipped skipped(options.skip);
  const ModelMatch match = match_options(options, entries, facts, skipped);

  InitialWeights result;
  result.description = trained_description(options, match, entries, skipped, path);
  result.description.num_classes = static_cast<int64_t>(options.classes.size());
  const std::vector<ParameterSpec> specs = build_model(result.description).parameters();
  const std::optional<FoundModel>& found = facts.place ? facts.place : facts.nearest;
  skipped.check(specs, entries, found ? found->left_out : std::vector<std::string>(), path,
                result.description.architecture);
  const NewHead head = replaces_head(options, match, facts, skipped, result, listener);
  const Taken taken = take_values(specs, tensors, skipped, head, options.seed, result.values);
  if (taken.from_file == 0)
    throw usage_error("{}: leaves nothing of {}: train without {}", setting("weights_skip"), path, setting("weights"));
  if (const std::string which = describe_not_finite(result.values); !which.empty())
    throw data_error("{}: holds values that are no numbers, from which nothing can be learned: {}", path, which);

  const Origin origin = origin_of(path, pretrained, match.description.architecture);
  result.facts.emplace(result.facts.begin(), "weights", describe(origin, taken, specs.size()));
  if (!options.skip.empty())
    result.facts.emplace_back("left out", fmt::format("{} of the model by {} '{}': initialised anew",
                                                      plural(taken.left_out, "tensor", "tensors"),
                                                      setting("weights_skip"), fmt::join(options.skip, "' '")));
  take_preprocessing(origin, facts, options, result);
  result.provenance = facts.provenance;
  result.provenance.emplace_back("weights", fmt::format("{} sha256 {}", origin.name(), origin.sha256));
  return result;
}

}  // namespace resflow
