#include "apps/options/precision_options.h"

#include <CLI/CLI.hpp>

#include "io/core/error.h"

namespace resflow {
namespace {

void add_options(CLI::App& command, std::string& name, bool& force, const char* help) {
  command.add_option("--precision", name, help)->capture_default_str();
  command.add_flag("--force-precision", force, "bf16 also where this CPU has no instructions for it");
}

}  // namespace

void add_precision_options(CLI::App& command, PrecisionOptions& options) {
  add_options(command, options.name, options.force,
              "f32, bf16 (of CPUs with bf16 instructions), or int8 (of a model that resflow quantize made)");
}

void add_training_precision_options(CLI::App& command, std::string& name, bool& force) {
  add_options(command, name, force,
              "of activations and their gradients: f32, or bf16 (of CPUs with bf16 instructions)");
}

void require_quantized_file(const TrainedModel& trained, Precision precision, const std::string& path) {
  try {
    require_quantized(trained, precision, path);
  } catch (const Error& e) {
    throw Error(e.kind(), fmt::format("{}; resflow quantize {} PHOTOS --out FILE makes one that is", e.marked(), path));
  }
}

}  // namespace resflow
