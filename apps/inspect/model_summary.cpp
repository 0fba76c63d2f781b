#include "apps/inspect/model_summary.h"

#include <fmt/ranges.h>

#include <iterator>
#include <map>
#include <vector>

#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

std::string millions(int64_t n) { return n == 0 ? "" : fmt::format("{:.2f} M", static_cast<double>(n) / 1e6); }

void add_steps(const Plan& plan, std::string& text) {
  fmt::format_to(std::back_inserter(text), "\n{:34} {:14} {:>16} {:14} {:14} {}\n", "step", "kind", "output", "src",
                 "dst", "implementation");
  int64_t reorders = 0;
  for (const Plan::Row& row : plan.rows()) {
    reorders += row.reorder ? 1 : 0;
    fmt::format_to(std::back_inserter(text), "{:34} {:14} {:>16} {:14} {:14} {}\n", row.name, row.kind,
                   shape_text(row.dst_dims), row.src, row.dst, row.implementation);
  }
  fmt::format_to(std::back_inserter(text), "{}\n", plural(reorders, "reorder", "reorders"));
}

}  // namespace

std::string shape_text(const Dims& dims) { return fmt::format("{}", fmt::join(dims, "x")); }

std::string layers_text(const ModelDescription& description, int64_t image_size) {
  std::string text;
  const Graph graph = build_model(description);
  const std::vector<Dims> shapes = graph.shapes(image_size, image_size);
  // A parameter's name is that of its node and one word more: "conv1.weight".
  std::map<std::string, int64_t> learnt_of;
  for (const ParameterSpec& p : graph.parameters())
    if (p.learnt) learnt_of[p.name.substr(0, p.name.rfind('.'))] += element_count(p.dims);
  fmt::format_to(std::back_inserter(text), "{:28} {:16} {:>14} {:>12} {:>13}\n", "layer", "kind", "output",
                 "parameters", "multiply-adds");
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto own = learnt_of.find(node.name);
    fmt::format_to(std::back_inserter(text), "{:28} {:16} {:>14} {:>12} {:>13}\n", node.name, kind_name(node.kind),
                   shape_text(shapes[i]), own == learnt_of.end() ? "" : format_count(own->second),
                   millions(multiply_adds(node, shapes[i])));
  }
  fmt::format_to(std::back_inserter(text), "\n{}\n", model_line(description, image_size));
  return text;
}

std::string model_line(const ModelDescription& description, int64_t image_size) {
  const Graph graph = build_model(description);
  int64_t learnt = 0;
  for (const ParameterSpec& p : graph.parameters())
    if (p.learnt) learnt += element_count(p.dims);
  return fmt::format("{}: {} outputs, {} parameters ({}), {:.3f} G multiply-adds for a picture of {} x {}",
                     to_text(description), description.num_classes, format_count(learnt),
                     format_bytes(static_cast<double>(learnt) * 4),
                     static_cast<double>(multiply_adds(graph, image_size, image_size)) / 1e9, image_size, image_size);
}

std::string plan_text(const ModelDescription& description, const PlanView& view) {
  std::string text;
  const Compute compute(view.threads);
  Model model(description, compute);
  model.set_quantization(view.quantization);
  const Plan plan(model, {.batch = view.batch,
                          .height = view.image_size,
                          .width = view.image_size,
                          .mode = view.train ? Mode::kTrain : Mode::kEval,
                          .layout = Layout::kAny,
                          .precision = view.precision});
  if (view.steps) add_steps(plan, text);
  const PlanMemory memory = plan.memory();
  fmt::format_to(std::back_inserter(text),
                 "memory to {} {} at once on {}: {} (activations {}, parameters {}, gradients {})\n",
                 view.train ? "train on" : "score", plural(view.batch, "picture", "pictures"),
                 plural(view.threads, "thread", "threads"), format_bytes(static_cast<double>(memory.total())),
                 format_bytes(static_cast<double>(memory.activations)),
                 format_bytes(static_cast<double>(memory.parameters + memory.copies)),
                 format_bytes(static_cast<double>(memory.gradients)));
  return text;
}

}  // namespace resflow
