#include "apps/options/common.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/host/pinning.h"
#include "apps/machine/threads.h"
#include "graph/model/model_zoo.h"
#include "io/core/error.h"

namespace resflow {

CLI::Option* add_model_option(CLI::App& command, std::string& model) {
  return command.add_option("--model", model, fmt::format("{}", fmt::join(model_names(), ", ")))->capture_default_str();
}

CLI::Option* add_threads_option(CLI::App& command, int& threads) {
  return command.add_option("--threads", threads,
                            "[every CPU that this process may use: the affinity mask and the cgroup's quota]");
}

int resolve_threads(const CLI::App& command, int threads, bool pin) {
  const bool told = command.get_option("--threads")->count() > 0;
  if (told && threads < 1) throw usage_error("--threads is {}: wanted at least 1", threads);
  if (pin) return pin_threads(told ? threads : 0);
  return told ? threads : cpu_limits().usable();
}

CLI::Option* add_decode_option(CLI::App& command, std::string& decode) {
  return command
      .add_option("--decode", decode,
                  "exact: every pixel of a file, as Pillow; fast: a JPEG that is at least twice as large as needed is\n"
                  "decoded at half, a quarter or an eighth of its size")
      ->capture_default_str();
}

DecodeMode decode_mode(const std::string& decode) {
  if (decode == "exact") return DecodeMode::kExact;
  if (decode == "fast") return DecodeMode::kFast;
  throw usage_error("--decode {}: wanted exact or fast", decode);
}

void check_range(const std::string& name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw usage_error("{} is {}: wanted {} to {}", name, value, low, high);
}

}  // namespace resflow
