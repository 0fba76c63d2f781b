// resflow bench score: forward passes alone.
#include "apps/bench_parts.h"
#include "apps/console.h"
#include "graph/calibration.h"
#include "graph/plan.h"

namespace resflow {

int bench_score(const BenchOptions& o, int threads) {
  check(o);
  const Precision precision = resolve_precision(o.precision);
  BenchModel bench(o, threads);
  if (precision == Precision::kInt8) {
    Calibrator calibrator(bench.model, o.batch, o.image_size, o.image_size);
    calibrator.observe(bench.pixels.data(), o.batch);
    bench.model.set_quantization(calibrator.result());
  }
  Plan plan(bench.model, {.batch = o.batch,
                          .height = o.image_size,
                          .width = o.image_size,
                          .mode = Mode::kEval,
                          .layout = Layout::kAny,
                          .precision = precision});

  print_setup(o, threads, "score " + o.model + (precision == Precision::kF32 ? "" : " in " + o.precision.name));
  fmt::print("planned memory {}\n", format_bytes(static_cast<double>(plan.memory().total())));
  const StepTimes times = measure_steps(o.seconds, [&] { plan.forward(bench.pixels.data(), o.batch); });
  nlohmann::ordered_json report = new_report("score", o, threads);
  report["model"] = o.model;
  report["precision"] = o.precision.name;
  report["planned_bytes"] = plan.memory().total();
  return finish(o, report, times);
}

}  // namespace resflow
