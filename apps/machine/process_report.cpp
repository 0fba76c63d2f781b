#include "apps/machine/process_report.h"

#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "apps/machine/versions.h"
#include "io/files/file.h"
#include "ops/onednn_isa.h"

namespace resflow {

int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

nlohmann::ordered_json process_report() {
  nlohmann::ordered_json report;
  report["peak_rss_bytes"] = peak_rss_bytes();
  report["cpu"] = cpu_model();
  report["isa"] = onednn_isa_name();
  report["versions"]["resflow"] = resflow_version();
  for (const auto& [library, version] : library_versions()) report["versions"][library] = version;
  return report;
}

void write_json(const std::string& path, const nlohmann::ordered_json& report) {
  // Names of files need not be UTF-8, JSON must be.
  replace_text_file(path, report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace resflow
