#include "apps/precision_options.h"

#include <CLI/CLI.hpp>

#include "apps/console.h"
#include "io/error.h"

namespace resflow {

void add_precision_options(CLI::App& command, PrecisionOptions& options) {
  command
      .add_option("--precision", options.name,
                  "f32, bf16 (of CPUs with bf16 instructions), or int8 (of a model that resflow quantize made)")
      ->capture_default_str();
  command.add_flag("--force-precision", options.force, "bf16 also where this CPU has no instructions for it");
}

Precision resolve_precision(const PrecisionOptions& options) {
  Precision precision{};
  try {
    precision = precision_of_name(options.name);
  } catch (const Error&) {
    throw usage_error("--precision {}: wanted f32, bf16 or int8", options.name);
  }
  if (options.force && precision != Precision::kBf16)
    throw usage_error("--force-precision: is about --precision bf16, not {}", options.name);
  const std::string obstacle = precision_obstacle(precision);
  if (obstacle.empty()) return precision;
  if (precision == Precision::kBf16 && !options.force)
    throw usage_error("--precision bf16: {}, so it is no faster than f32; --force-precision runs it all the same",
                      obstacle);
  warn("--precision {}: {}, so it is no faster than f32, or slower", options.name, obstacle);
  return precision;
}

void require_quantized(const TrainedModel& trained, Precision precision, const std::string& path) {
  if (precision == Precision::kInt8 && !trained.model->quantization())
    throw usage_error("--precision int8: {} is not quantized; resflow quantize {} PHOTOS --out FILE makes one that is",
                      path, path);
}

}  // namespace resflow
