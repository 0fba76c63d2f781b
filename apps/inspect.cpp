// resflow inspect: what a model of the zoo, a checkpoint or a picture is.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "apps/cli_options.h"
#include "apps/commands.h"
#include "apps/console.h"
#include "apps/threads.h"
#include "apps/trained_model.h"
#include "graph/model_zoo.h"
#include "graph/plan.h"
#include "io/decode.h"
#include "io/error.h"
#include "io/file.h"

namespace resflow {
namespace {

struct InspectOptions {
  std::string what, mode = "eval";
  bool plan = false;
  int64_t batch = 32, image_size = 0, classes = 1000;
  int threads = 0;
};

std::string shape(const Dims& dims) {
  std::string text;
  for (const int64_t d : dims) text += (text.empty() ? "" : "x") + std::to_string(d);
  return text;
}

std::string millions(int64_t n) { return n == 0 ? "" : fmt::format("{:.2f} M", static_cast<double>(n) / 1e6); }

void print_layers(const ModelDescription& description, int64_t image_size) {
  const Graph graph = build_model(description);
  const std::vector<Dims> shapes = graph.shapes(image_size, image_size);
  // A parameter's name is its node's and one word more.
  std::map<std::string, int64_t> learnt_of;
  int64_t learnt = 0;
  for (const ParameterSpec& p : graph.parameters()) {
    if (!p.learnt) continue;
    learnt_of[p.name.substr(0, p.name.rfind('.'))] += element_count(p.dims);
    learnt += element_count(p.dims);
  }
  fmt::print("{:28} {:16} {:>14} {:>12} {:>13}\n", "layer", "kind", "output", "parameters", "multiply-adds");
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto own = learnt_of.find(node.name);
    fmt::print("{:28} {:16} {:>14} {:>12} {:>13}\n", node.name, kind_name(node.kind), shape(shapes[i]),
               own == learnt_of.end() ? "" : format_count(own->second), millions(multiply_adds(node, shapes[i])));
  }
  fmt::print("\n{}: {} outputs, {} parameters ({}), {:.3f} G multiply-adds for a picture of {} x {}\n",
             description.architecture, description.num_classes, format_count(learnt),
             format_bytes(static_cast<double>(learnt) * 4),
             static_cast<double>(multiply_adds(graph, image_size, image_size)) / 1e9, image_size, image_size);
}

void print_plan_rows(const Plan& plan) {
  fmt::print("\n{:34} {:14} {:>16} {:14} {:14} {}\n", "step", "kind", "output", "src", "dst", "implementation");
  int64_t reorders = 0;
  for (const Plan::Row& row : plan.rows()) {
    reorders += row.reorder ? 1 : 0;
    fmt::print("{:34} {:14} {:>16} {:14} {:14} {}\n", row.name, row.kind, shape(row.dst_dims), row.src, row.dst,
               row.implementation);
  }
  fmt::print("{}\n", plural(reorders, "reorder", "reorders"));
}

void print_memory(const ModelDescription& description, const InspectOptions& o, int64_t image_size, int threads) {
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  Model model(description, compute);
  const Plan plan(model, {.batch = o.batch,
                          .height = image_size,
                          .width = image_size,
                          .mode = o.mode == "train" ? Mode::kTrain : Mode::kEval,
                          .layout = Layout::kAny});
  if (o.plan) print_plan_rows(plan);
  const PlanMemory memory = plan.memory();
  fmt::print("memory to {} {} at once on {}: {} (activations {}, parameters {}, gradients {})\n",
             o.mode == "train" ? "train on" : "score", plural(o.batch, "picture", "pictures"),
             plural(threads, "thread", "threads"), format_bytes(static_cast<double>(memory.total())),
             format_bytes(static_cast<double>(memory.activations)),
             format_bytes(static_cast<double>(memory.parameters)), format_bytes(static_cast<double>(memory.gradients)));
}

void print_checkpoint(const std::string& path, const Checkpoint& c) {
  fmt::print("{}: whole, {} of {}\n", path, c.model.architecture, plural(c.model.num_classes, "class", "classes"));
  constexpr size_t kShown = 20;
  for (size_t i = 0; i < std::min(kShown, c.classes.size()); ++i) fmt::print("  class {:4}  {}\n", i, c.classes[i]);
  if (c.classes.size() > kShown) fmt::print("  ... and {} more\n", c.classes.size() - kShown);
  fmt::print("preprocessing: short side to {}, centre {} x {}\n", c.preprocessing.resize, c.preprocessing.crop,
             c.preprocessing.crop);
  const TrainingState& t = c.training;
  if (c.optimizer_name.empty())
    fmt::print("to score with: no optimizer state in it\n");
  else
    fmt::print("to resume from: {}, {} done, then {} of the next\n", c.optimizer_name,
               plural(t.epoch, "epoch", "epochs"), plural(t.next_batch, "batch", "batches"));
  for (const EpochRecord& r : t.history)
    fmt::print("  epoch {:3}  train loss {:.4f} accuracy {:.4f}  validation loss {:.4f} accuracy {:.4f}  {:.1f} s\n",
               r.epoch, r.train_loss, r.train_accuracy, r.val_loss, r.val_accuracy, r.seconds);
  for (const auto& [name, value] : t.options) fmt::print("  {} {}\n", name, value);
  if (!t.fingerprint.empty()) fmt::print("made on: {}\n", t.fingerprint);
  fmt::print("\n");
}

int inspect_picture(const std::string& path) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  if (image_format(bytes) == ImageFormat::kUnknown)
    throw data_error("{}: is no checkpoint of resflow, no picture, and no model's name (those are {})", path,
                     fmt::join(model_names(), ", "));
  Decoder decoder;
  try {
    decoder.open(bytes);
  } catch (const Error& e) {
    throw data_error("{}: {}", path, e.what());
  }
  fmt::print("{}: {}, {} x {}, {}\n", path, image_format_name(decoder.format()), decoder.width(), decoder.height(),
             format_bytes(static_cast<double>(bytes.size())));
  flush_output();
  return 0;
}

int inspect(const InspectOptions& o, int threads) {
  check_range("--batch", static_cast<double>(o.batch), 1, 65536);
  check_range("--classes", static_cast<double>(o.classes), 1, 1e7);
  if (o.image_size != 0) check_range("--image-size", static_cast<double>(o.image_size), kMinImageSize, 4096);
  if (o.mode != "eval" && o.mode != "train") throw usage_error("--mode {}: wanted eval or train", o.mode);

  ModelDescription description = {.architecture = o.what, .num_classes = o.classes};
  int64_t image_size = 224;
  const auto& names = model_names();
  if (std::find(names.begin(), names.end(), o.what) == names.end()) {
    if (!std::filesystem::exists(o.what))
      throw usage_error("{}: is no file and no model's name (those are {})", o.what, fmt::join(names, ", "));
    if (!is_checkpoint(o.what)) return inspect_picture(o.what);
    const Checkpoint checkpoint = load_checkpoint(o.what);  // whole, so that every checksum is looked at
    check_classes(checkpoint, o.what);
    print_checkpoint(o.what, checkpoint);
    description = checkpoint.model;
    image_size = checkpoint.preprocessing.crop;
  }
  if (o.image_size != 0) image_size = o.image_size;
  print_layers(description, image_size);
  print_memory(description, o, image_size, threads);
  flush_output();
  return 0;
}

}  // namespace

Action add_inspect(CLI::App& command) {
  auto o = std::make_shared<InspectOptions>();
  command.add_option("WHAT", o->what, "a model's name, a checkpoint, or a picture")->required();
  command.add_flag("--plan", o->plan, "the steps too: layouts, reorders, implementations");
  command.add_option("--mode", o->mode, "plan to eval (score) or to train")->capture_default_str();
  command.add_option("--batch", o->batch, "pictures at once, for memory and plan")->capture_default_str();
  command.add_option("--image-size", o->image_size, "side of the input [224; a checkpoint's own]");
  command.add_option("--classes", o->classes, "outputs of a model that is given by name")->capture_default_str();
  add_threads_option(command, o->threads);
  command.footer(
      "Example:\n"
      "  resflow inspect resnet50\n"
      "  resflow inspect run/best.resflow --plan --batch 8");
  return [o, &command] { return inspect(*o, resolve_threads(command, o->threads)); };
}

}  // namespace resflow
