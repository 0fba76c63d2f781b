// resflow bench score: forward passes alone.
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/bench/commands.h"
#include "apps/bench/random_model.h"
#include "apps/bench/report.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/score/executor_choice.h"
#include "graph/plan/calibration.h"
#include "graph/plan/executors.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

// The executors that --executors asks for. Where their number is to be measured, prints what was found.
std::unique_ptr<Executors> make_executors(const BenchOptions& o, RandomModel& bench, Precision precision, int threads,
                                          int wanted, const Executors::Work& work) {
  const PlanOptions options = {.batch = o.batch,
                               .height = o.image_size,
                               .width = o.image_size,
                               .mode = Mode::kEval,
                               .layout = Layout::kAny,
                               .precision = precision};
  const int count = std::max(wanted, 1);
  auto executors = std::make_unique<Executors>(bench.model, options, count, threads_of_each(threads, count));
  if (wanted != kChooseExecutors) return executors;
  const std::vector<int> candidates = executor_candidates(threads, executors->memory().activations);
  if (candidates.empty()) return executors;
  executors->round_seconds(work);  // what comes to life in the first one is not measured
  ExecutorChoice choice = choose_executors(std::move(executors), bench.model, candidates, threads, work, o.batch);
  print_out("executors  {}\n", executors_sentence(choice.speeds, choice.chosen));
  return std::move(choice.executors);
}

}  // namespace

int bench_score(const BenchOptions& o, int threads) {
  check(o);
  const int wanted = parse_executors(o.executors, threads);
  TerminalListener listener;
  const Precision precision = resolve_precision(o.precision, listener);
  RandomModel bench(o, threads);
  if (precision == Precision::kInt8) {
    Calibrator calibrator(bench.model, o.batch, o.image_size, o.image_size);
    calibrator.observe(bench.pixels.data(), o.batch);
    bench.model.set_quantization(calibrator.result());
  }
  print_setup(o, threads,
              "score " + bench_model_text(o) + (precision == Precision::kF32 ? "" : " in " + o.precision.name));
  const Executors::Work work = [&](Plan& plan) { plan.forward(bench.pixels.data(), o.batch); };
  const std::unique_ptr<Executors> executors = make_executors(o, bench, precision, threads, wanted, work);
  const size_t planned = executors->memory().total();
  print_out("planned memory {}\n", format_bytes(static_cast<double>(planned)));

  // Each has the next batch waiting, as in a stream of photographs.
  const int count = executors->count();
  if (count > 1)
    for (int i = 0; i < count; ++i) executors->give(work);
  const StepTimes times = measure_steps(o.seconds, [&] {
    for (int i = 0; i < count; ++i) {
      executors->give(work);
      executors->take();
    }
  });
  nlohmann::ordered_json report = new_report("score", o, threads);
  report["model"] = bench_model_text(o);
  report["precision"] = o.precision.name;
  report["executors"] = count;
  report["planned_bytes"] = planned;
  return finish(o, report, times, count);
}

}  // namespace resflow
