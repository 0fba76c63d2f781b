#include "apps/bench/report.h"

#include <nlohmann/json.hpp>

#include "apps/host/console.h"
#include "apps/machine/process_report.h"
#include "apps/machine/versions.h"
#include "io/core/wording.h"
#include "ops/compute.h"

namespace resflow {

nlohmann::ordered_json new_report(const char* what, const BenchOptions& o, int threads) {
  nlohmann::ordered_json report;
  report["what"] = what;
  report["batch"] = o.batch;
  report["image_size"] = o.image_size;
  report["threads"] = threads;
  return report;
}

void print_setup(const BenchOptions& o, int threads, const std::string& what) {
  print_out("{}, batch {}, {} x {}, {} on {}, {} (oneDNN {})\n", what, o.batch, o.image_size, o.image_size,
            plural(threads, "thread", "threads"), cpu_model(), onednn_isa_name(), onednn_version());
}

// The speed is that of the median step, so that one step that the machine disturbed does not change it.
int finish(const BenchOptions& o, nlohmann::ordered_json report, const StepTimes& times, int batches) {
  const double pictures = o.batch * static_cast<double>(batches), rate = pictures / times.median() * 1e3;
  report["images_per_second"] = rate;
  report["images_per_second_best"] = pictures / times.minimum() * 1e3;
  report["step_ms_median"] = times.median();
  report["step_ms_minimum"] = times.minimum();
  report["steps"] = times.ms.size();
  report.update(process_report());
  print_out("{:.2f} img/s: step median {:.1f} ms, minimum {:.1f} ms of {}; peak memory {}\n", rate, times.median(),
            times.minimum(), plural(times.ms.size(), "step", "steps"),
            format_bytes(static_cast<double>(peak_rss_bytes())));
  if (!o.json.empty()) write_json(o.json, report);
  return 0;
}

}  // namespace resflow
