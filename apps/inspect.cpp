// resflow inspect: what a model of the zoo, a file of weights or a picture is.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/inspect/file_summary.h"
#include "apps/inspect/model_summary.h"
#include "apps/inspect/weights_diff.h"
#include "apps/model/model_file.h"
#include "apps/model/precision.h"
#include "apps/model/pretrained.h"
#include "apps/options/common.h"
#include "apps/options/model_file_options.h"
#include "apps/options/precision_options.h"
#include "apps/options/structure_options.h"
#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/images/decode.h"

namespace resflow {
namespace {

struct InspectOptions {
  std::string what, mode = "eval", diff, model, classes, weights_key, weights_prefix;
  StructureOptions structure;
  bool plan = false, verify = false, json = false;
  int64_t batch = 32, image_size = 0;
  int threads = 0;
  PrecisionOptions precision;
};

int inspect_picture(const std::string& path) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  if (image_format(bytes) == nullptr)
    throw data_error("{}: is no file of weights, no picture, and no model's name (those are {})", path,
                     fmt::join(all_model_names(), ", "));
  Decoder decoder;
  try {
    decoder.open(bytes);
  } catch (const Error& e) {
    throw data_error("{}: {}", path, e.marked());
  }
  print_out("{}: {}, {} x {}, {}\n", path, decoder.format()->name, decoder.width(), decoder.height(),
            format_bytes(static_cast<double>(bytes.size())));
  return 0;
}

void print_json(const nlohmann::ordered_json& json) {
  // Names in files need not be UTF-8, but JSON must be.
  print_data(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

ModelFileOptions file_options(const InspectOptions& o) {
  ModelFileOptions options;
  options.architecture = o.model;
  options.structure = o.structure;
  options.classes = o.classes;
  options.weights_key = o.weights_key;
  options.weights_prefix = o.weights_prefix;
  options.by_hash = false;  // the header alone is read
  return options;
}

std::vector<NamedArray> read_tensors(const ModelFacts& facts) {
  if (facts.summary.format == WeightsFormat::kCheckpoint) return load_checkpoint(facts.path).parameters;
  return read_model_values(facts);
}

constexpr int kSame = 0, kDifferent = 1;

int inspect_difference(const InspectOptions& o, Listener& listener) {
  const ModelFacts first = model_facts(o.what, file_options(o), listener);
  const ModelFacts second = model_facts(o.diff, file_options(o), listener);
  WeightsDiff diff = diff_weights(read_tensors(first), read_tensors(second));
  diff_facts(first, second, diff);
  if (o.json)
    print_json(diff_json(diff));
  else
    print_text(diff_text(diff, first.path, second.path));
  return diff.same() ? kSame : kDifferent;
}

void require_ranges(const InspectOptions& o, const PlanView& plan) {
  if (plan.precision == Precision::kInt8 && !plan.quantization)
    throw usage_error("--precision int8: {} is not quantized; resflow quantize makes a file that is", o.what);
}

void print_network(const ModelDescription& model, const PlanView& plan) {
  print_text(layers_text(model, plan.image_size));
  const ThreadLimit limit(plan.threads);
  print_text(plan_text(model, plan));
}

int inspect_file(const InspectOptions& o, PlanView plan, Listener& listener) {
  FileView view = view_file(o.what, file_options(o), o.verify, listener);
  for (std::string& note : view.facts.notes) note = with_option_names(note);
  if (o.json)
    print_json(file_json(view));
  else
    print_text(file_text(view));
  if (o.plan) {
    require_model(view.facts, file_options(o));
    const ModelDescription& model = view.facts.match.description;
    plan.quantization = view.facts.quantization;
    require_ranges(o, plan);
    if (plan.image_size == 0)
      plan.image_size = view.facts.preprocessing ? view.facts.preprocessing->crop : usual_image_size(model);
    print_out("\n");
    print_network(model, plan);
  }
  return 0;
}

int64_t class_count(const std::string& text) {
  if (text.empty()) return ModelDescription().num_classes;
  constexpr double kMost = 1e7;
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size())
    throw usage_error("--classes {}: of a model that is given by name, wanted how many", text);
  check_range("--classes", static_cast<double>(count), 1, kMost);
  return count;
}

int inspect_model(const InspectOptions& o, PlanView plan) {
  const ModelDescription description =
      description_of(model_or_unnamed(o.what, true, o.structure), o.structure, class_count(o.classes));
  require_ranges(o, plan);
  if (plan.image_size == 0) plan.image_size = usual_image_size(description);
  print_network(description, plan);
  return 0;
}

int inspect(const InspectOptions& o, int threads) {
  check_range("--batch", static_cast<double>(o.batch), 1, 65536);
  if (o.image_size != 0) check_range("--image-size", static_cast<double>(o.image_size), kMinImageSize, 4096);
  if (o.mode != "eval" && o.mode != "train") throw usage_error("--mode {}: wanted eval or train", o.mode);
  if (o.json && o.plan) throw usage_error("--json says what is in a file; leave --plan away");
  TerminalListener listener;
  const PlanView plan = {.steps = o.plan,
                         .train = o.mode == "train",
                         .batch = o.batch,
                         .image_size = o.image_size,
                         .threads = threads,
                         .precision = resolve_precision(o.precision, listener)};
  if (plan.train && plan.precision == Precision::kInt8)
    throw usage_error("--precision int8: wanted f32 or bf16 for --mode train");
  if (!o.diff.empty()) {
    if (o.plan || o.verify) throw usage_error("--diff compares two files; leave --plan and --verify away");
    return inspect_difference(o, listener);
  }
  const auto& names = all_model_names();
  const bool is_model = std::find(names.begin(), names.end(), o.what) != names.end() || o.what == kUnnamedModel;
  std::error_code unknown;
  const bool is_file = std::filesystem::exists(o.what, unknown);
  const auto is_weights = [&] { return recognise_weights(o.what) || weights_format_of_name(o.what); };
  if (!is_model && (names_pretrained(o.what) || (is_file && is_weights()))) return inspect_file(o, plan, listener);
  if (o.json || o.verify || !o.model.empty())
    throw usage_error("{}: is no file of weights, and --json, --verify and --model are about those", o.what);
  if (is_model) return inspect_model(o, plan);
  if (!is_file) throw usage_error("{}: is no file and no model's name (those are {})", o.what, fmt::join(names, ", "));
  return inspect_picture(o.what);
}

}  // namespace

Action add_inspect(CLI::App& command) {
  auto o = std::make_shared<InspectOptions>();
  command
      .add_option("WHAT", o->what,
                  "a model's name; a file of weights in any format, or torchvision's weights by name; or a picture")
      ->required();
  command.add_option("--diff", o->diff, "compare with this file of weights; exit code 0 the same, 1 different");
  command.add_flag("--verify", o->verify, "read all values of the file too: checksums, and values that are not finite");
  command.add_flag("--json", o->json, "write it as JSON");
  command.add_flag("--plan", o->plan, "the layers and steps too: layouts, reorders, implementations, memory");
  command.add_option("--mode", o->mode, "plan to eval (score) or to train")->capture_default_str();
  command.add_option("--batch", o->batch, "pictures at once, for memory and plan")->capture_default_str();
  command.add_option("--image-size", o->image_size, "side of the input [what the model is meant for; a file's own]");
  command.add_option("--model", o->model, "compare the file's tensors with those of this model [recognised]");
  add_structure_options(command, o->structure);
  add_weights_place_options(command, o->weights_key, o->weights_prefix);
  command.add_option("--classes", o->classes,
                     "outputs of a model that is given by name [1000]; names for a file's: imagenet, or a text file");
  add_precision_options(command, o->precision);
  add_threads_option(command, o->threads);
  command.footer(
      "Of a file, only the header is read, unless --verify or --diff ask for more.\n\n"
      "Example:\n"
      "  resflow inspect resnet50\n"
      "  resflow inspect resnet --block bottleneck --layers 3,4,6,3 --norm group\n"
      "  resflow inspect run/best.resflow --plan --batch 8\n"
      "  resflow inspect resnet34.pth --diff resnet34.safetensors");
  return [o, &command] { return inspect(*o, resolve_threads(command, o->threads)); };
}

}  // namespace resflow
