// resflow bench layers: each step of a network, beside what this machine could do.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bench/commands.h"
#include "apps/bench/layer_times.h"
#include "apps/bench/random_model.h"
#include "apps/bench/report.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/terminal_listener.h"
#include "apps/machine/process_report.h"
#include "apps/options/common.h"
#include "apps/options/precision_options.h"
#include "apps/options/structure_options.h"
#include "graph/plan/plan.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "ops/machine_peak.h"

namespace resflow {
namespace {

constexpr double kPeakSeconds = 0.5;
constexpr int kPeakRounds = 3;

struct LayersCommand {
  BenchOptions common;
  bool train = false;
  int rounds = 15, top = 0;
};

void check(const LayersCommand& o) {
  check(o.common);
  check_range("--rounds", o.rounds, 1, 100000);
  if (o.top < 0) throw usage_error("--top is {}: wanted 0 (all) or more", o.top);
}

// The best of several measurements: a disturbance can only make a speed lower.
Roof measure_roof(const Compute& compute) {
  Roof roof;
  GemmPeak gemm(compute);
  MemoryPeak memory(compute);
  for (int i = 0; i < kPeakRounds; ++i) {
    roof.gflops = std::max(roof.gflops, gemm.run(kPeakSeconds / kPeakRounds));
    roof.gbytes_a_second = std::max(roof.gbytes_a_second, memory.run(kPeakSeconds / kPeakRounds));
  }
  return roof;
}

// Gradients like those of a loss, in the middle of training.
std::vector<float> made_gradients(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(static_cast<int>(i * 7 % 11) - 5) * 1e-3F;
  return values;
}

// Runs forward, or forward and backward, and reads the clock only before and after.
StepTimes measure_whole(const LayersCommand& o, Plan& plan, const float* pixels, const std::vector<float>& gradients) {
  StepTimes times;
  const auto step = [&] {
    plan.forward(pixels, o.common.batch);
    if (o.train) plan.backward(gradients.data(), [](const Bucket& /*bucket*/) {});
  };
  step();
  for (int i = 0; i < o.rounds; ++i) {
    const Stopwatch watch;
    step();
    times.ms.push_back(watch.milliseconds());
  }
  return times;
}

void print_layers(const LayersCommand& o, const std::vector<LayerTime>& layers, const Roof& roof) {
  const double sum = sum_seconds(layers);
  size_t wide = 5, wide_kind = 4;
  for (const LayerTime& layer : layers) {
    wide = std::max(wide, layer.name.size());
    wide_kind = std::max(wide_kind, layer.kind.size());
  }
  print_out("\n{:{}} {:{}} {}{:>9} {:>7} {:>8} {:>9} {:>7} {:>7}  {}\n", "layer", wide, "kind", wide_kind,
            o.train ? "pass     " : "", "ms", "of all", "GFLOPS", "bytes", "GB/s", "of roof", "implementation");
  const size_t shown = o.top > 0 ? std::min(layers.size(), static_cast<size_t>(o.top)) : layers.size();
  for (size_t i = 0; i < shown; ++i) {
    const LayerTime& layer = layers[i];
    print_out("{:{}} {:{}} {}{:9.3f} {:>7} {:>8} {:>9} {:7.1f} {:>7}  {}\n", layer.name, wide, layer.kind, wide_kind,
              !o.train         ? ""
              : layer.backward ? "backward "
                               : "forward  ",
              1e3 * layer.seconds, fmt::format("{:.1f} %", 100 * layer.seconds / sum),
              layer.operations > 0 ? fmt::format("{:.1f}", layer.gflops()) : "", format_bytes(layer.bytes),
              layer.gbytes_a_second(), fmt::format("{:.0f} %", 100 * layer.of_roof(roof)), layer.implementation);
  }
  if (shown < layers.size()) print_out("and {} more\n", plural(layers.size() - shown, "step", "steps"));
  print_out("\n");
  for (const KindTime& kind : by_kind(layers))
    print_out("{:36} {:4} {:9.3f} ms {:5.1f} %\n", kind.kind, kind.count, 1e3 * kind.seconds, 100 * kind.seconds / sum);
}

nlohmann::ordered_json layer_json(const LayerTime& layer, const Roof& roof) {
  nlohmann::ordered_json json = {{"layer", layer.name},
                                 {"kind", layer.kind},
                                 {"pass", layer.backward ? "backward" : "forward"},
                                 {"reorder", layer.reorder},
                                 {"ms", 1e3 * layer.seconds}};
  if (layer.operations > 0) json["gflops"] = layer.gflops();
  json["operations"] = layer.operations;
  json["bytes"] = layer.bytes;
  json["gbytes_per_second"] = layer.gbytes_a_second();
  json["of_roof"] = layer.of_roof(roof);
  json["implementation"] = layer.implementation;
  return json;
}

int bench_layers(const LayersCommand& o, int threads) {
  check(o);
  TerminalListener listener;
  const Precision precision = resolve_training_precision(o.common.precision, listener);
  RandomModel bench(o.common, threads);
  Plan plan(bench.model, {.batch = o.common.batch,
                          .height = o.common.image_size,
                          .width = o.common.image_size,
                          .mode = o.train ? Mode::kTrain : Mode::kEval,
                          .layout = Layout::kAny,
                          .precision = precision});
  const std::string what = o.train ? "forward and backward" : "forward";
  print_setup(o.common, threads,
              what + " of " + bench_model_text(o.common) +
                  (precision == Precision::kF32 ? "" : " in " + o.common.precision.name));
  const Roof roof = measure_roof(bench.compute);
  print_out("this machine reaches {:.0f} GFLOPS (a product of two matrices) and {:.1f} GB/s (a triad)\n", roof.gflops,
            roof.gbytes_a_second);

  const std::vector<float> gradients = made_gradients(static_cast<size_t>(o.common.batch) * 1000);
  const Plan::Profile profile =
      plan.profile(bench.pixels.data(), o.common.batch, o.rounds, o.train ? gradients.data() : nullptr);
  const StepTimes whole = measure_whole(o, plan, bench.pixels.data(), gradients);
  const std::vector<LayerTime> layers = layer_times(plan.rows(), profile);
  print_layers(o, layers, roof);
  const double sum_ms = 1e3 * (sum_seconds(layers) + profile.copy_pixels);
  print_out("{:36} {:4} {:9.3f} ms\n", "input into its place", 1, 1e3 * profile.copy_pixels);
  print_out("sum {:.2f} ms; {} in one piece {:.2f} ms; medians of {}\n", sum_ms, what, whole.median(),
            plural(o.rounds, "round", "rounds"));

  if (o.common.json.empty()) return 0;
  nlohmann::ordered_json report = new_report("layers", o.common, threads);
  report["model"] = bench_model_text(o.common);
  report["precision"] = o.common.precision.name;
  report["mode"] = o.train ? "train" : "score";
  report["rounds"] = o.rounds;
  report["peak_gflops"] = roof.gflops;
  report["peak_gbytes_per_second"] = roof.gbytes_a_second;
  report["copy_pixels_ms"] = 1e3 * profile.copy_pixels;
  report["sum_ms"] = sum_ms;
  report["whole_ms"] = whole.median();
  for (const LayerTime& layer : layers) report["layers"].push_back(layer_json(layer, roof));
  report.update(process_report());
  write_json(o.common.json, report);
  return 0;
}

}  // namespace

BenchSubcommand add_bench_layers(CLI::App& bench) {
  auto options = std::make_shared<LayersCommand>();
  LayersCommand& o = *options;
  CLI::App* command =
      bench.add_subcommand("layers", "Each step of a network: time, speed, and how much of the machine that is");
  CLI::Option* model = add_model_option(*command, o.common.model);
  add_structure_options(*command, o.common.structure);
  command->add_option("--batch", o.common.batch, "pictures a step")->capture_default_str();
  command->add_option("--image-size", o.common.image_size, "side of the network's input [224; 32 with --stem cifar]");
  command->add_flag("--train", o.train, "forward and backward of training, without the optimizer [scoring]");
  add_threads_option(*command, o.common.threads);
  add_pin_option(*command, o.common.pin);
  add_training_precision_options(*command, o.common.precision.name, o.common.precision.force);
  command->add_option("--rounds", o.rounds, "the figures are medians of so many")->capture_default_str();
  command->add_option("--top", o.top, "show only so many, those that take longest [0: all]");
  add_json_option(*command, o.common.json, "the figures, as docs/bench-json.md has them,");
  command->footer(
      "The roof of a step is the longer of its operations at the speed of a large product of two matrices and its "
      "bytes "
      "(sources,\nparameters and results, each once) at the speed of a triad. Winograd needs fewer operations than are "
      "counted, and a cache\nmay hold what the step before has written: both can pass 100 %.\n\n"
      "Example:\n  resflow bench layers --model resnet50 --batch 32 --top 20");
  return {command, [options, command, model] {
            settle_model(options->common, model->count() > 0);
            return bench_layers(*options, resolve_threads(*command, options->common.threads, options->common.pin));
          }};
}

}  // namespace resflow
