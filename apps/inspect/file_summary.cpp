#include "apps/inspect/file_summary.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/inspect/model_summary.h"
#include "graph/model/misfit.h"
#include "graph/model/model_zoo.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

constexpr size_t kShown = 20;
constexpr size_t kLineBytes = 4000;

// Adds a line: the name of a fact in a column of its own, and the fact.
template <class... Args>
void line(std::string& out, std::string_view what, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), "{:14} {}\n", what,
                 printable(fmt::format(format, std::forward<Args>(args)...), kLineBytes));
}

void add_list(std::string& out, std::string_view what, const std::vector<std::string>& list) {
  for (size_t i = 0; i < list.size(); ++i) line(out, i == 0 ? what : "", "{}", list[i]);
}

struct Totals {
  int64_t values = 0;
  double bytes = 0;
};

Totals totals_of(const std::vector<TensorEntry>& tensors) {
  Totals totals;
  for (const TensorEntry& t : tensors) {
    const int64_t values = element_count(t.dims);
    totals.values += values;
    totals.bytes += static_cast<double>(values) * static_cast<double>(dtype_bytes(t.dtype));
  }
  return totals;
}

std::string misshapen_text(const WeightsFit::Misshapen& m) {
  return fmt::format("{} is {} {}, the model's {} {}", m.got.name, dtype_name(m.got.dtype), shape_text(m.got.dims),
                     dtype_name(m.wanted.dtype), shape_text(m.wanted.dims));
}

// Batch norm may be folded into an ONNX file's convolutions. Its tensors are then no longer those of a model.
void add_onnx_model(std::string& out, const WeightsSummary& summary) {
  const auto at = std::find_if(summary.metadata.begin(), summary.metadata.end(),
                               [](const auto& text) { return text.first == "architecture"; });
  if (at != summary.metadata.end())
    line(out, "model", "{}, by its metadata; its tensors have other names", at->second);
  else
    line(out, "model", "none that resflow knows");
}

// The first few of the names that differ, and how many more there are: JSON has them all.
void add_few(std::string& out, std::string_view what, const std::vector<std::string>& list) {
  constexpr size_t kFew = 5;
  add_list(out, what, {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(std::min(kFew, list.size()))});
  if (list.size() > kFew) line(out, "", "and {} more", list.size() - kFew);
}

void add_fit(std::string& out, const ModelFacts& facts, bool asked) {
  const WeightsFit& fit = facts.match.fit;
  const ModelDescription& model = facts.match.description;
  const std::string name = fmt::format("{} with {}", to_text(model), plural(model.num_classes, "class", "classes"));
  if (fit.fits()) {
    line(out, "model", "{}: all tensors fit{}", name,
         fit.counts_absent == 0 ? "" : fmt::format("; {} num_batches_tracked absent, taken as 0", fit.counts_absent));
    return;
  }
  if (facts.place && facts.place->headless) {
    line(out, "model", "{} without a head", to_text(model));
    return;
  }
  if (asked || facts.summary.format == WeightsFormat::kCheckpoint) {
    line(out, "model", "not {}: {}", name, plural(fit.differences(), "difference", "differences"));
  } else {
    line(out, "model", "none that resflow knows: it {}",
         facts.nearest ? summarise_misfit(*facts.nearest) : describe_misfit(facts));
    if (!facts.nearest) return;
  }
  add_few(out, "missing", fit.missing);
  add_few(out, "unexpected", fit.unexpected);
  std::vector<std::string> misshapen;
  misshapen.reserve(fit.misshapen.size());
  for (const auto& m : fit.misshapen) misshapen.push_back(misshapen_text(m));
  add_few(out, "misshapen", misshapen);
}

void add_training(std::string& out, const Checkpoint& c) {
  const TrainingState& t = c.training;
  if (c.optimizer_name.empty())
    line(out, "training", "to score with: no optimizer state in it");
  else
    line(out, "training", "to resume from: {}, {} done, then {} of the next", c.optimizer_name,
         plural(t.epoch, "epoch", "epochs"), plural(t.next_batch, "batch", "batches"));
  for (const EpochRecord& r : t.history)
    line(out, "", "epoch {:3}  train loss {:.4f} accuracy {:.4f}  validation loss {:.4f} accuracy {:.4f}  {:.1f} s",
         r.epoch, r.train_loss, r.train_accuracy, r.val_loss, r.val_accuracy, r.seconds);
  std::vector<std::string> options;
  options.reserve(t.options.size());
  for (const auto& [name, value] : t.options) options.push_back(fmt::format("{} {}", name, value));
  add_list(out, "options", options);
  if (!t.fingerprint.empty()) line(out, "made on", "{}", t.fingerprint);
}

void add_facts(std::string& out, const ModelFacts& facts) {
  if (facts.classes) {
    const size_t shown = std::min(kShown, facts.classes->size());
    for (size_t i = 0; i < shown; ++i) line(out, i == 0 ? "classes" : "", "{:4}  {}", i, (*facts.classes)[i]);
    if (facts.classes->size() > shown) line(out, "", "... and {} more", facts.classes->size() - shown);
  }
  if (facts.preprocessing) {
    const Preprocessing& p = *facts.preprocessing;
    line(out, "preprocessing", "short side to {} ({}), centre {} x {}, mean {}, std {}", p.resize, p.interpolation,
         p.crop, p.crop, fmt::join(p.mean, " "), fmt::join(p.std, " "));
  }
  if (facts.head.kind == Head::Kind::kOneVsRest) {
    line(out, "head", "one-vs-rest SVM: outputs are decision values, probabilities by Platt's 1 / (1 + exp(A x + B))");
    const size_t shown = std::min(kShown, facts.head.platt_a.size());
    for (size_t i = 0; i < shown; ++i)
      line(out, "", "{:4}  A {:.6g}  B {:.6g}", i, facts.head.platt_a[i], facts.head.platt_b[i]);
    if (facts.head.platt_a.size() > shown) line(out, "", "... and {} more", facts.head.platt_a.size() - shown);
  }
  if (facts.quantization)
    line(out, "quantized", "int8: ranges of {} from {}",
         plural(facts.quantization->activations.size(), "activation", "activations"),
         plural(facts.quantization->pictures, "picture", "pictures"));
  for (const auto& [key, text] : facts.provenance) line(out, "provenance", "{}: {}", key, text);
  for (const auto& [key, text] : facts.summary.metadata)
    if (!is_model_key(key)) line(out, "metadata", "{}: {}", key, text);
  for (const std::string& note : facts.notes) line(out, "note", "{}", note);
}

void add_tensors(std::string& out, const std::vector<TensorEntry>& tensors) {
  fmt::format_to(std::back_inserter(out), "\n{:44} {:6} {:>16} {:>12}\n", "tensor", "dtype", "shape", "values");
  for (const TensorEntry& t : tensors)
    fmt::format_to(std::back_inserter(out), "{:44} {:6} {:>16} {:>12}\n", printable(t.name), dtype_name(t.dtype),
                   shape_text(t.dims), format_count(element_count(t.dims)));
}

nlohmann::ordered_json model_json(const ModelFacts& facts) {
  const ModelMatch& match = facts.match;
  nlohmann::ordered_json json = {{"architecture", match.description.architecture},
                                 {"description", to_text(match.description)},
                                 {"classes", match.description.num_classes},
                                 {"fits", match.fit.fits()},
                                 {"headless", match.fit.lacks_head_alone()},
                                 {"behind", facts.nearest ? facts.nearest->prefix : facts.summary.prefix},
                                 {"there", match.fit.there},
                                 {"missing", match.fit.missing},
                                 {"unexpected", match.fit.unexpected},
                                 {"misshapen", nlohmann::ordered_json::array()},
                                 {"counts_absent", match.fit.counts_absent}};
  for (const auto& [got, wanted] : match.fit.misshapen)
    json["misshapen"].push_back({{"name", got.name},
                                 {"dtype", dtype_name(got.dtype)},
                                 {"shape", got.dims},
                                 {"wanted_dtype", dtype_name(wanted.dtype)},
                                 {"wanted_shape", wanted.dims}});
  return json;
}

nlohmann::ordered_json training_json(const Checkpoint& c) {
  const TrainingState& t = c.training;
  nlohmann::ordered_json json = {{"optimizer", c.optimizer_name},
                                 {"epoch", t.epoch},
                                 {"next_batch", t.next_batch},
                                 {"step", t.step},
                                 {"options", t.options},
                                 {"fingerprint", t.fingerprint},
                                 {"history", nlohmann::ordered_json::array()}};
  for (const EpochRecord& r : t.history)
    json["history"].push_back({{"epoch", r.epoch},
                               {"train_loss", r.train_loss},
                               {"train_accuracy", r.train_accuracy},
                               {"val_loss", r.val_loss},
                               {"val_accuracy", r.val_accuracy},
                               {"learning_rate", r.learning_rate},
                               {"seconds", r.seconds}});
  return json;
}

}  // namespace

FileView view_file(const std::string& name, const ModelFileOptions& options, bool verify, Listener& listener) {
  FileView view;
  view.facts = model_facts(name, options, listener);
  view.asked = !options.architecture.empty();
  const ModelFacts& facts = view.facts;
  view.bytes = InputFile(facts.path).size();
  const bool own = facts.summary.format == WeightsFormat::kCheckpoint;
  if (own) view.training = read_checkpoint_summary(facts.path).checkpoint;
  if (!verify) return view;
  const std::vector<NamedArray> tensors = own ? load_checkpoint(facts.path).parameters : read_model_values(facts);
  view.verified = true;
  view.not_finite = describe_not_finite(tensors);
  return view;
}

std::string file_text(const FileView& view) {
  std::string out;
  const ModelFacts& facts = view.facts;
  const WeightsSummary& summary = facts.summary;
  const Totals totals = totals_of(summary.tensors);
  line(out, "file", "{}", facts.path);
  line(out, "format", "{}{}, {}", weights_format_name(summary.format),
       summary.variant.empty() ? "" : fmt::format(" ({})", summary.variant),
       format_bytes(static_cast<double>(view.bytes)));
  line(out, "tensors", "{}, {} values, {}", summary.tensors.size(), format_count(totals.values),
       format_bytes(totals.bytes));
  if (!summary.found_under.empty()) line(out, "found under", "\"{}\"", summary.found_under);
  if (!summary.prefix.empty()) line(out, "prefix", "\"{}\", taken off every name", summary.prefix);
  if (summary.format == WeightsFormat::kOnnx && !facts.match.fit.fits())
    add_onnx_model(out, summary);
  else
    add_fit(out, facts, view.asked);
  if (facts.match.fit.fits())
    line(out, "", "{}",
         model_line(facts.match.description,
                    facts.preprocessing ? facts.preprocessing->crop : usual_image_size(facts.match.description)));
  add_facts(out, facts);
  if (view.training) add_training(out, *view.training);
  if (view.verified) {
    line(out, "verified", "whole: all values were read");
    line(out, "not finite", "{}", view.not_finite.empty() ? "none" : view.not_finite);
  }
  add_tensors(out, summary.tensors);
  return out;
}

nlohmann::ordered_json file_json(const FileView& view) {
  const ModelFacts& facts = view.facts;
  const WeightsSummary& summary = facts.summary;
  const Totals totals = totals_of(summary.tensors);
  nlohmann::ordered_json json = {{"file", facts.path},
                                 {"format", weights_format_name(summary.format)},
                                 {"variant", summary.variant},
                                 {"bytes", view.bytes},
                                 {"found_under", summary.found_under},
                                 {"prefix", summary.prefix},
                                 {"values", totals.values},
                                 {"tensor_bytes", static_cast<int64_t>(totals.bytes)},
                                 {"model", model_json(facts)},
                                 {"class_names", nullptr},
                                 {"preprocessing", nullptr},
                                 {"head", nullptr},
                                 {"quantization", nullptr},
                                 {"provenance", facts.provenance},
                                 {"metadata", nlohmann::ordered_json::object()},
                                 {"notes", facts.notes}};
  for (const auto& [key, text] : summary.metadata) json["metadata"][key] = text;
  if (facts.classes) json["class_names"] = *facts.classes;
  if (facts.preprocessing) {
    const Preprocessing& p = *facts.preprocessing;
    json["preprocessing"] = {
        {"resize", p.resize}, {"crop", p.crop}, {"mean", p.mean}, {"std", p.std}, {"interpolation", p.interpolation}};
  }
  json["head"] = {{"kind", head_name(facts.head.kind)}};
  if (facts.head.kind == Head::Kind::kOneVsRest) {
    json["head"]["platt_a"] = facts.head.platt_a;
    json["head"]["platt_b"] = facts.head.platt_b;
  }
  if (facts.quantization) {
    json["quantization"] = {{"precision", "int8"},
                            {"pictures", facts.quantization->pictures},
                            {"activations", nlohmann::ordered_json::array()}};
    for (const auto& [name, low, high] : facts.quantization->activations)
      json["quantization"]["activations"].push_back({{"name", name}, {"low", low}, {"high", high}});
  }
  if (view.training) json["training"] = training_json(*view.training);
  if (view.verified) {
    json["verified"] = true;
    json["not_finite"] = view.not_finite;
  }
  json["tensors"] = nlohmann::ordered_json::array();
  for (const TensorEntry& t : summary.tensors)
    json["tensors"].push_back({{"name", t.name}, {"dtype", dtype_name(t.dtype)}, {"shape", t.dims}});
  return json;
}

}  // namespace resflow
