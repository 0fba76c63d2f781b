#include "apps/cli_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/threads.h"
#include "graph/model_zoo.h"
#include "io/error.h"

namespace resflow {

CLI::Option* add_model_option(CLI::App& command, std::string& model) {
  return command.add_option("--model", model, fmt::format("{}", fmt::join(model_names(), ", ")))->capture_default_str();
}

CLI::Option* add_threads_option(CLI::App& command, int& threads) {
  return command.add_option("--threads", threads,
                            "[every CPU that this process may use: the affinity mask and the cgroup's quota]");
}

int resolve_threads(const CLI::App& command, int threads) {
  if (command.get_option("--threads")->count() == 0) return cpu_limits().usable();
  if (threads < 1) throw usage_error("--threads is {}: wanted at least 1", threads);
  return threads;
}

void check_range(const std::string& name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw usage_error("{} is {}: wanted {} to {}", name, value, low, high);
}

}  // namespace resflow
