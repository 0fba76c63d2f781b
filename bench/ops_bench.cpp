// Times the ops of the table in tests/ops/cases.h, forward and backward apart, each checked against f64 loops first:
// a case with a wrong result is reported as an error and not timed.
//
//   build/release/bench/ops_bench --benchmark_filter=conv_k3 --threads=2
//
// GFLOPS counts two operations a multiply-add, GB/s the sources and results of the op.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>

#include "ops/kernels/simd.h"
#include "ops/optimizer.h"
#include "tests/ops/op_run.h"

namespace resflow {
namespace {

using testing::OpCase;
using testing::OpRun;

double bytes_of(const std::vector<Tensor>& tensors) {
  double bytes = 0;
  for (const Tensor& t : tensors) bytes += static_cast<double>(t.bytes());
  return bytes;
}

void time_op(benchmark::State& state, const OpCase& c, int threads, bool backward) {
  OpRun run(c, threads);
  run.forward();
  if (c.training) run.backward();
  const testing::Errors errors = testing::errors_against_loops(run);
  // Sums of 4608 products, the longest in the table, may err by 1.5e-6.
  if (errors.forward > 1.5e-6 || errors.backward > 1e-5) {
    state.SkipWithError(
        fmt::format("wrong result: relative errors {:.2g} and {:.2g}", errors.forward, errors.backward).c_str());
    return;
  }
  for (auto _ : state) backward ? run.backward() : run.forward();

  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  const bool weights = !run.op->parameters().empty();
  const double passes = !backward ? 1 : (weights ? 1 : 0) + (run.diff_src.empty() ? 0 : 1);
  if (run.op->multiply_adds() > 0)
    state.counters["GFLOPS"] = benchmark::Counter(2e-9 * passes * static_cast<double>(run.op->multiply_adds()), rate);
  double bytes = bytes_of(run.src) + static_cast<double>(run.dst.bytes());
  if (backward) bytes += bytes_of(run.diff_src);
  state.counters["GB/s"] = benchmark::Counter(1e-9 * bytes, rate);
  state.SetLabel(run.op->implementation());
}

// As many parameters as ResNet-34 has.
void time_adam(benchmark::State& state, int threads) {
  const Compute compute(threads);
  const size_t elements = 21'797'672;
  std::vector<Tensor> tensors;
  for (const char* name : {"value", "gradient", "exp_avg", "exp_avg_sq"})
    tensors.emplace_back(name, plain_desc({static_cast<int64_t>(elements)}), compute);
  std::fill_n(tensors[1].data(), elements, 1.0F);
  const std::vector<UpdateSlice> slices = {{.value = tensors[0].data(),
                                            .gradient = tensors[1].data(),
                                            .state0 = tensors[2].data(),
                                            .state1 = tensors[3].data(),
                                            .elements = elements}};
  int64_t step = 1;
  adam_update(compute, {}, step, slices);
  // With a constant gradient the first step is lr, whatever the gradient's size.
  if (std::abs(tensors[0].data()[elements - 1] + 1e-3F) > 1e-8F) {
    state.SkipWithError("wrong result");
    return;
  }
  for (auto _ : state) adam_update(compute, {}, ++step, slices);
  state.counters["GB/s"] =
      benchmark::Counter(1e-9 * 7 * sizeof(float) * elements, benchmark::Counter::kIsIterationInvariantRate);
}

void register_all(int threads) {
  for (const OpCase& c : testing::op_cases()) {
    if (!c.bench) continue;
    for (const bool backward : {false, true}) {
      if (backward && !c.training) continue;
      const std::string name = c.name + (backward ? "/backward" : "/forward");
      benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& s) { time_op(s, c, threads, backward); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  }
  benchmark::RegisterBenchmark("adam_resnet34", [=](benchmark::State& s) { time_adam(s, threads); })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

}  // namespace
}  // namespace resflow

int main(int argc, char** argv) {
  int threads = 2;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--threads=", 10) == 0)
      threads = std::atoi(argv[i] + 10);
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  benchmark::AddCustomContext("threads", std::to_string(threads));
  benchmark::AddCustomContext("instruction set of our kernels", resflow::isa_name(resflow::cpu_isa()));
  benchmark::AddCustomContext(
      "oneDNN", fmt::format("{}.{}.{}", dnnl::version()->major, dnnl::version()->minor, dnnl::version()->patch));
  resflow::register_all(threads);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
