// resflow bench read: weights from a file to memory.
#include <nlohmann/json.hpp>

#include "apps/bench/commands.h"
#include "apps/bench/report.h"
#include "apps/bench/step_times.h"
#include "apps/host/console.h"
#include "apps/machine/process_report.h"
#include "apps/options/common.h"
#include "io/core/check_range.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"
#include "io/weights/weights.h"

namespace resflow {

int bench_read(const BenchOptions& o) {
  check_range("--seconds", o.seconds, 0, 86400);
  check_outputs({{"--json", o.json}});
  const WeightsSummary summary = read_weights_summary(o.weights);
  size_t bytes = 0;
  for (const TensorEntry& t : summary.tensors)
    bytes += static_cast<size_t>(element_count(t.dims)) * dtype_bytes(t.dtype);
  const auto count = static_cast<int64_t>(summary.tensors.size());
  print_out("read {}, {}, {} of {}\n", o.weights, weights_format_name(summary.format),
            plural(count, "tensor", "tensors"), format_bytes(static_cast<double>(bytes)));
  // The first time is what a program pays that reads its weights once. Later times reuse memory that the process has.
  const Stopwatch watch;
  read_weights(o.weights);
  const double first = watch.milliseconds();
  const StepTimes times = measure_steps(o.seconds, [&] { read_weights(o.weights); });
  const double rate = static_cast<double>(bytes) / 1e6 / (times.median() / 1e3);
  print_out("{:.0f} MB/s: first {:.1f} ms, then median {:.1f} ms, minimum {:.1f} ms of {}; peak memory {}\n", rate,
            first, times.median(), times.minimum(), plural(times.ms.size(), "time", "times"),
            format_bytes(static_cast<double>(peak_rss_bytes())));
  if (o.json.empty()) return 0;
  nlohmann::ordered_json report = {{"what", "read"}, {"file", o.weights}, {"tensors", count}, {"bytes", bytes}};
  report["megabytes_per_second"] = rate;
  report["first_ms"] = first;
  report["step_ms_median"] = times.median();
  report["step_ms_minimum"] = times.minimum();
  report["steps"] = times.ms.size();
  report.update(process_report());
  write_json(o.json, report);
  return 0;
}

}  // namespace resflow
