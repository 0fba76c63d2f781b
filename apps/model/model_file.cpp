#include "apps/model/model_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>
#include <utility>

#include "apps/model/class_names.h"
#include "apps/model/pretrained.h"
#include "graph/model/misfit.h"
#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"
#include "io/core/convert_dtype.h"
#include "io/core/error.h"
#include "io/core/not_finite.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/file_sha256.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

constexpr size_t kFew = 5;     // names in a sentence
constexpr size_t kShown = 20;  // tensors that are not finite
constexpr int64_t kImagenetClasses = 1000;

std::string model_text(const ModelDescription& model) {
  return fmt::format("{} with {}", to_text(model), plural(model.num_classes, "class", "classes"));
}

void take_pretrained(const PretrainedWeights& weights, const std::string& sha256, ModelFacts& facts) {
  const auto names = imagenet_classes();
  facts.classes.emplace(names.begin(), names.end());
  facts.preprocessing = weights.preprocessing();
  facts.provenance = {{"weights", fmt::format("{} sha256 {}", weights.name(), sha256)}};
}

// Reads a resflow checkpoint's manifest.
void read_checkpoint_facts(const ModelFileOptions& options, ModelFacts& facts) {
  CheckpointSummary summary = read_checkpoint_summary(facts.path);
  Checkpoint& c = summary.checkpoint;
  if (!options.architecture.empty() && options.architecture != c.model.architecture)
    throw usage_error("{} {}: {} says that it is a {}", setting("model"), options.architecture, facts.path,
                      c.model.architecture);
  if (with_structure(c.model, options.structure) != c.model)
    throw usage_error("{}: {} says that it is a {}", given_text(options.structure), facts.path, to_text(c.model));
  facts.summary = {.format = WeightsFormat::kCheckpoint,
                   .variant = fmt::format("version {}", summary.format_version),
                   .tensors = std::move(summary.parameters),
                   .metadata = {},
                   .found_under = {},
                   .prefix = {}};
  facts.match.description = c.model;
  try {
    facts.match.fit = compare_weights(c.model, facts.summary.tensors, DTypeRule::kExact);
  } catch (const Error& e) {  // the description comes from the file, not from the command line
    throw data_error("{}: {}", facts.path, e.marked());
  }
  facts.classes = std::move(c.classes);
  facts.preprocessing = std::move(c.preprocessing);
  facts.head = std::move(c.head);
  facts.quantization = std::move(c.quantization);
  facts.provenance = std::move(c.provenance);
}

// What resflow wrote beside the tensors is believed as far as the tensors agree. `match` is what they are by
// themselves.
ModelMatch match_written(const std::vector<TensorEntry>& tensors, const std::optional<ModelDescription>& written,
                         const std::string& architecture, ModelMatch match) {
  if (!written || (!architecture.empty() && written->architecture != architecture)) return match;
  ModelMatch as_written = {.description = *written, .fit = {}};
  as_written.description.num_classes = match.description.num_classes;
  try {
    as_written.fit = compare_weights(as_written.description, tensors, DTypeRule::kConvertible);
  } catch (const Error&) {  // no model of ours
    return match;
  }
  return as_written.fit.fits() ? as_written : match;
}

std::string listed(std::span<const std::string> names) {
  std::vector<std::string> shown;
  shown.reserve(names.size());
  for (const std::string& name : names) shown.push_back(printable(name));
  return first_few(shown, kFew);
}

// How the user would ask for this place: "weights_key state_dict_ema and weights_prefix model."
std::string choice(const FoundModel& place) {
  std::string text = fmt::format("{} '{}'", setting("weights_key"), printable(place.key));
  if (!place.prefix.empty()) text += fmt::format(" {} '{}'", setting("weights_prefix"), printable(place.prefix));
  return text;
}

bool is_asked_for(const FoundModel& place, const ModelFileOptions& options) {
  const std::string& prefix = options.weights_prefix;
  return (options.weights_key.empty() || place.key == options.weights_key) &&
         (prefix.empty() || place.prefix == prefix || place.prefix == prefix + ".");
}

// Says which of the models in a file is taken, where there are several, and what beside it is left out.
void note_place(const std::vector<FoundModel>& places, const FoundModel& taken, ModelFacts& facts) {
  std::vector<std::string> others;
  others.reserve(places.size());
  for (const FoundModel& place : places) {
    const bool is_other = place.key != taken.key || place.prefix != taken.prefix;
    if (is_other) others.push_back(choice(place));
  }
  if (!others.empty())
    facts.notes.push_back(fmt::format("{}: holds {} models; taken is that of {}; others: {}", facts.path, places.size(),
                                      choice(taken), first_few(others, kFew, "; ")));
  if (!taken.left_out.empty())
    facts.notes.push_back(
        fmt::format("{}: {} beside the model left out: {}", facts.path,
                    taken.left_out.size() == 1 ? "1 tensor is" : fmt::format("{} tensors are", taken.left_out.size()),
                    listed(taken.left_out)));
}

// Finds the model wherever it lies in the file, as far as a whole one is there.
void find_place(const std::vector<TensorGroup>& groups, const ModelFileOptions& options, ModelFacts& facts) {
  std::vector<FoundModel> places = find_models(groups, options.architecture);
  const auto taken =
      std::find_if(places.begin(), places.end(), [&](const FoundModel& place) { return is_asked_for(place, options); });
  if (taken == places.end()) {
    if (options.weights_key.empty() && options.weights_prefix.empty()) {
      facts.nearest = nearest_model(groups, options.architecture);
      return;
    }
    std::vector<std::string> there;
    there.reserve(places.size());
    for (const FoundModel& place : places) there.push_back(choice(place));
    throw usage_error(
        "{}{}{}: {} has no {} there{}",
        options.weights_key.empty() ? "" : fmt::format("{} {}", setting("weights_key"), options.weights_key),
        options.weights_key.empty() || options.weights_prefix.empty() ? "" : " ",
        options.weights_prefix.empty() ? "" : fmt::format("{} {}", setting("weights_prefix"), options.weights_prefix),
        facts.path, options.architecture.empty() ? "model" : options.architecture,
        there.empty() ? std::string(", nor anywhere else") : fmt::format(": wanted {}", fmt::join(there, ", or ")));
  }
  note_place(places, *taken, facts);
  facts.place = std::move(*taken);
}

// What was given in place of what no tensor shows; and a word on what is taken without having been said.
void apply_structure(const ModelFileOptions& options, ModelFacts& facts, bool is_written) {
  ModelMatch& match = facts.match;
  if (!match.fit.fits() && !(facts.place && facts.place->headless)) return;
  const ModelDescription wanted = with_structure(match.description, options.structure);
  if (wanted != match.description) {
    WeightsFit fit = compare_weights(wanted, facts.summary.tensors, DTypeRule::kConvertible);
    if (fit.differences() > match.fit.differences())
      throw data_error("{}: is a {}, which does not fit {}: {}", facts.path, model_text(match.description),
                       given_text(options.structure), to_sentence(fit));
    match = {.description = wanted, .fit = std::move(fit)};
  }
  if (is_written || wanted.norm != "group" || options.structure.norm_groups != 0) return;
  facts.notes.push_back(
      fmt::format("{}: its norms have no running mean and variance, so they are group norms, not batch norms; of how "
                  "many groups it "
                  "does not say: {} are taken, {} changes that",
                  facts.path, norm_groups_of(options_of(wanted)), setting("norm_groups")));
}

void read_foreign_facts(const ModelFileOptions& options, ModelFacts& facts) {
  WeightsListing listing = list_weights(facts.path);
  find_place(listing.groups, options, facts);
  if (facts.place) {
    facts.summary = std::move(listing.summary);
    facts.summary.found_under = facts.place->key;
    facts.summary.tensors = facts.place->tensors();
    facts.summary.prefix = facts.place->prefix;
  } else {
    facts.summary = read_weights_summary(facts.path);
  }
  std::vector<std::string> foreign;
  ModelMetadata written;
  try {
    written = from_texts(facts.summary.metadata, &foreign);
  } catch (const Error& e) {
    throw data_error("{}: {}", facts.path, e.marked());
  }
  for (const std::string& key : foreign)
    facts.notes.push_back(
        fmt::format("{}: its metadata \"{}\" is not as resflow writes it, and left aside", facts.path, key));
  const std::vector<TensorEntry>& tensors = facts.summary.tensors;
  ModelMatch match = facts.place                    ? facts.place->match
                     : facts.nearest                ? facts.nearest->match
                     : options.architecture.empty() ? recognise_model(tensors)
                                                    : match_model(options.architecture, tensors);
  facts.match = match_written(tensors, written.model, options.architecture, std::move(match));
  apply_structure(options, facts, written.model.has_value());
  facts.classes = std::move(written.classes);
  facts.preprocessing = std::move(written.preprocessing);
  facts.head = std::move(written.head);
  facts.quantization = std::move(written.quantization);
  if (facts.match.fit.fits()) {
    try {
      check_head(facts.head, facts.match.description.num_classes);
    } catch (const Error& e) {
      throw data_error("{}: {}", facts.path, e.marked());
    }
  }
  facts.provenance = std::move(written.provenance);
}

// torchvision's files hold nothing but tensors. The file's hash says which entry it is, and with it all else.
void recognise_hash(ModelFacts& facts) {
  const ModelDescription& model = facts.match.description;
  if (!facts.match.fit.fits() || model.num_classes != kImagenetClasses || facts.classes || facts.preprocessing ||
      facts.summary.format != WeightsFormat::kPth)
    return;
  const std::string sha256 = file_sha256(facts.path);
  const PretrainedWeights* weights = pretrained_of_hash(sha256);
  if (weights == nullptr || weights->model != model.architecture) return;
  take_pretrained(*weights, sha256, facts);
  facts.notes.push_back(fmt::format("{}: is torchvision's {}", facts.path, weights->name()));
}

void apply_class_names(const ModelFileOptions& options, ModelFacts& facts, Listener& listener) {
  if (!options.classes.empty()) facts.classes = load_class_names(options.classes, listener);
  if (!facts.classes || !facts.match.fit.fits()) return;
  const auto names = static_cast<int64_t>(facts.classes->size());
  if (names == facts.match.description.num_classes) return;
  if (!options.classes.empty())
    throw data_error("{}: {} {} has {}, but its {} has {}", facts.path, setting("classes"), options.classes,
                     plural(names, "name", "names"), facts.match.description.architecture,
                     plural(facts.match.description.num_classes, "output", "outputs"));
  throw data_error("{}: has {} class names, but its {} has {} outputs: the file was not written whole by one program",
                   facts.path, names, facts.match.description.architecture, facts.match.description.num_classes);
}

void apply_preprocessing(const ModelFileOptions& options, ModelFacts& facts) {
  if (options.resize == 0 && options.crop == 0) return;
  if (facts.preprocessing)
    throw usage_error("{}: {} carries its own preprocessing, resize {} and crop {}: leave {} and {} away",
                      options.crop != 0 ? fmt::format("{} {}", setting("crop"), options.crop)
                                        : fmt::format("{} {}", setting("resize"), options.resize),
                      facts.path, facts.preprocessing->resize, facts.preprocessing->crop, setting("resize"),
                      setting("crop"));
  const ModelDescription& model = facts.match.description;
  Preprocessing p = usual_preprocessing(model, options.crop != 0 ? options.crop : usual_image_size(model));
  if (options.resize != 0) p.resize = options.resize;
  if (p.crop > p.resize)
    throw usage_error("{} {} of pictures whose short side is {}: wanted a {} of at least {}", setting("crop"), p.crop,
                      p.resize, setting("resize"), p.crop);
  facts.preprocessing = p;
}

// Zeros for what the model wants and the file has not.
void add_head(Checkpoint& checkpoint) {
  for (const ParameterSpec& spec : build_model(checkpoint.model).parameters())
    if (spec.name == "fc.weight" || spec.name == "fc.bias")
      checkpoint.parameters.push_back({spec.name, Array(spec.dtype, spec.dims)});
}

std::vector<std::string> numbered_classes(int64_t count) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) names.push_back(fmt::format("class {}", i));
  return names;
}

// The tensors as `model` has them, with a note on each dtype that was converted.
std::vector<NamedArray> as_model_tensors(std::vector<NamedArray> tensors, const ModelDescription& model,
                                         const std::string& path, std::vector<std::string>& notes) {
  std::unordered_map<std::string, ParameterSpec> wanted;
  for (ParameterSpec& spec : build_model(model).parameters()) wanted.emplace(spec.name, spec);
  std::map<std::pair<std::string_view, std::string_view>, int64_t> changed;
  for (NamedArray& tensor : tensors) {
    const DType before = tensor.array.dtype();
    const ParameterSpec& spec = wanted.at(tensor.name);
    tensor.array = as_model_tensor(std::move(tensor.array), spec.dtype, spec.dims);
    if (tensor.array.dtype() != before) ++changed[{dtype_name(before), dtype_name(tensor.array.dtype())}];
  }
  for (const auto& [names, count] : changed)
    notes.push_back(
        fmt::format("{}: {} of {} became {}", path, plural(count, "tensor", "tensors"), names.first, names.second));
  return tensors;
}

// The values of `place.taken`, one to one.
std::vector<NamedArray> values_of(const FoundModel& place, const std::string& path) {
  std::vector<NamedArray> in_file = read_weights(path, place.key).tensors;
  std::unordered_map<std::string_view, Array*> by_name;
  for (NamedArray& tensor : in_file) by_name.emplace(tensor.name, &tensor.array);
  std::vector<NamedArray> values;
  values.reserve(place.taken.size());
  for (const FoundModel::Taken& taken : place.taken) {
    const auto found = by_name.find(taken.file_name);
    if (found == by_name.end()) throw data_error("{}: changed while it was read", path);
    values.push_back({taken.entry.name, std::move(*found->second)});
  }
  return values;
}

Checkpoint assume(const ModelFacts& facts, std::vector<std::string>& notes) {
  Checkpoint c;
  c.model = facts.match.description;
  if (facts.classes) {
    c.classes = *facts.classes;
  } else {
    c.classes = numbered_classes(c.model.num_classes);
    notes.push_back(fmt::format(
        "{}: does not name its classes: they are called \"class 0\" to \"class {}\"; {}{} "
        "FILE names them, a name a line",
        facts.path, c.model.num_classes - 1,
        c.model.num_classes == kImagenetClasses ? setting("classes") + " imagenet or " : "", setting("classes")));
  }
  if (facts.preprocessing) {
    c.preprocessing = *facts.preprocessing;
  } else {
    c.preprocessing = usual_preprocessing(c.model, usual_image_size(c.model));
    const bool whole = c.preprocessing.resize == c.preprocessing.crop;
    notes.push_back(fmt::format(
        "{}: does not say how pictures are prepared: short side to {}, centre {} x {}, {}; {} and {} change "
        "that",
        facts.path, c.preprocessing.resize, c.preprocessing.crop, c.preprocessing.crop,
        whole ? "as for CIFAR, with ImageNet's mean and deviation" : "as for ImageNet", setting("resize"),
        setting("crop")));
  }
  c.head = facts.head;
  c.quantization = facts.quantization;
  c.provenance = facts.provenance;
  return c;
}

}  // namespace

ModelFacts model_facts(const std::string& name, const ModelFileOptions& options, Listener& listener) {
  ModelFacts facts;
  PretrainedFile pretrained;
  if (names_pretrained(name)) pretrained = find_pretrained(name);
  facts.path = pretrained.weights != nullptr ? pretrained.path : name;
  if (recognise_weights(facts.path) == WeightsFormat::kCheckpoint) {
    read_checkpoint_facts(options, facts);
  } else {
    read_foreign_facts(options, facts);
  }
  if (pretrained.weights != nullptr)
    take_pretrained(*pretrained.weights, pretrained.sha256, facts);
  else if (options.by_hash)
    recognise_hash(facts);
  apply_class_names(options, facts, listener);
  apply_preprocessing(options, facts);
  return facts;
}

void require_model(const ModelFacts& facts, const ModelFileOptions& options) {
  if (facts.match.fit.fits()) return;
  if (facts.place && facts.place->headless)
    throw data_error(
        "{}: is a {} without a head, which has no classes to score with: train from it gives it a new head", facts.path,
        facts.match.description.architecture);
  if (facts.summary.format == WeightsFormat::kCheckpoint || !options.architecture.empty()) {
    std::string other;
    const std::vector<TensorEntry> tensors = facts.nearest ? facts.nearest->tensors() : facts.summary.tensors;
    if (const ModelMatch match = recognise_model(tensors); match.fit.fits())
      other = fmt::format(". It is a {}", model_text(match.description));
    throw data_error("{}: its tensors are not those of {}: {}{}", facts.path, model_text(facts.match.description),
                     to_sentence(facts.match.fit, kFew), other);
  }
  throw data_error("{}: {}; inspect shows more", facts.path, describe_misfit(facts));
}

std::string describe_misfit(const ModelFacts& facts) {
  return facts.nearest ? describe_misfit(*facts.nearest) : describe_stranger(facts.summary.tensors.size());
}

std::vector<NamedArray> read_model_values(const ModelFacts& facts) {
  return facts.place ? values_of(*facts.place, facts.path) : read_weights(facts.path).tensors;
}

std::vector<NamedArray> read_nearest_values(const ModelFacts& facts) {
  return facts.nearest ? values_of(*facts.nearest, facts.path) : read_model_values(facts);
}

ModelFile load_model_file(const std::string& name, const ModelFileOptions& options, Listener& listener) {
  ModelFile file;
  file.facts = model_facts(name, options, listener);
  const ModelFacts& facts = file.facts;
  if (facts.summary.format == WeightsFormat::kOnnx) read_weights(facts.path);  // says why it does not
  file.headless = options.headless && facts.place && facts.place->headless;
  if (!file.headless) require_model(facts, options);
  if (facts.preprocessing && facts.preprocessing->crop < kMinImageSize)
    throw data_error("{}: its preprocessing: crop {}, wanted {} to {}", facts.path, facts.preprocessing->crop,
                     kMinImageSize, kMaxCrop);
  file.notes = facts.notes;
  if (facts.summary.format == WeightsFormat::kCheckpoint) {
    file.checkpoint = load_checkpoint(facts.path);
    file.checkpoint.classes = *facts.classes;
  } else {
    if (file.headless) {  // in place of its classes, of which there is nothing to be said
      file.facts.classes = {"none"};
      file.facts.match.description.num_classes = 1;
    }
    file.checkpoint = assume(facts, file.notes);
    file.checkpoint.parameters =
        as_model_tensors(read_model_values(facts), file.checkpoint.model, facts.path, file.notes);
    if (file.headless) add_head(file.checkpoint);
  }
  if (const std::string found = describe_not_finite(file.checkpoint.parameters); !found.empty())
    file.notes.push_back(fmt::format("{}: holds values that are not finite: {}", facts.path, found));
  return file;
}

void say_notes(std::span<const std::string> notes, Listener& listener) {
  for (const std::string& note : notes) listener.note(note);
}

std::string describe_not_finite(std::span<const NamedArray> tensors) {
  std::vector<std::string> found;
  for (const auto& [name, array] : tensors) {
    const NotFinite n = count_not_finite(array);
    if (n.total() == 0) continue;
    std::vector<std::string> parts;
    if (n.nan > 0) parts.push_back(fmt::format("{} NaN", n.nan));
    if (n.infinite > 0) parts.push_back(fmt::format("{} infinite", n.infinite));
    found.push_back(fmt::format("{} ({})", printable(name), fmt::join(parts, ", ")));
  }
  return first_few(found, kShown);
}

}  // namespace resflow
