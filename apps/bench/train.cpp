// resflow bench train: steps of training alone.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/bench/commands.h"
#include "apps/bench/random_model.h"
#include "apps/bench/report.h"
#include "apps/host/terminal_listener.h"
#include "graph/train/trainer.h"
#include "io/core/wording.h"

namespace resflow {

int bench_train(const BenchOptions& o, int threads) {
  check(o);
  TerminalListener listener;
  const Precision precision = resolve_training_precision(o.precision, listener);
  RandomModel bench(o, threads);
  const OptimizerOptions optimizer = {.name = "adam", .lr = 1e-4};
  Trainer trainer(bench.model, o.batch, o.image_size, optimizer, {}, Layout::kAny, precision);
  std::vector<int32_t> labels(static_cast<size_t>(o.batch));
  std::iota(labels.begin(), labels.end(), 0);
  for (int32_t& label : labels) label %= 1000;

  print_setup(
      o, threads,
      "train " + bench_model_text(o) + " with Adam" + (precision == Precision::kF32 ? "" : " in " + o.precision.name));
  const PlanMemory memory = trainer.memory();
  print_out("planned memory {}\n", format_bytes(static_cast<double>(memory.total() + trainer.optimizer_bytes())));
  const StepTimes times = measure_steps(o.seconds, [&] { trainer.step(bench.pixels.data(), labels); });
  nlohmann::ordered_json report = new_report("train", o, threads);
  report["model"] = bench_model_text(o);
  report["precision"] = o.precision.name;
  report["optimizer"] = optimizer.name;
  report["planned_bytes"] = memory.total() + trainer.optimizer_bytes();
  return finish(o, report, times);
}

}  // namespace resflow
