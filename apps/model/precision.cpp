#include "apps/model/precision.h"

#include "apps/host/console.h"
#include "io/core/error.h"

namespace resflow {
Precision checked_precision(const PrecisionOptions& options) {
  Precision precision{};
  try {
    precision = precision_of_name(options.name);
  } catch (const Error&) {
    throw usage_error("--precision {}: wanted f32, bf16 or int8", options.name);
  }
  if (options.force && precision != Precision::kBf16)
    throw usage_error("--force-precision: is about --precision bf16, not {}", options.name);
  if (precision != Precision::kBf16 || options.force) return precision;
  if (const std::string obstacle = precision_obstacle(precision); !obstacle.empty())
    throw usage_error("--precision bf16: {}, so it is no faster than f32; --force-precision runs it all the same",
                      obstacle);
  return precision;
}

void warn_of_obstacle(Precision precision) {
  if (const std::string obstacle = precision_obstacle(precision); !obstacle.empty())
    warn("--precision {}: {}, so it is no faster than f32, or slower", precision_name(precision), obstacle);
}

Precision resolve_precision(const PrecisionOptions& options) {
  const Precision precision = checked_precision(options);
  warn_of_obstacle(precision);
  return precision;
}

Precision training_precision(const PrecisionOptions& options) {
  if (options.name == precision_name(Precision::kInt8))
    throw usage_error("--precision int8: wanted f32 or bf16; int8 is for scoring a model that resflow quantize made");
  if (options.name != precision_name(Precision::kF32) && options.name != precision_name(Precision::kBf16))
    throw usage_error("--precision {}: wanted f32 or bf16", options.name);
  return checked_precision(options);
}

Precision resolve_training_precision(const PrecisionOptions& options) {
  const Precision precision = training_precision(options);
  warn_of_obstacle(precision);
  return precision;
}

void require_quantized(const TrainedModel& trained, Precision precision, const std::string& path) {
  if (precision == Precision::kInt8 && !trained.model->quantization())
    throw usage_error("--precision int8: {} is not quantized; resflow quantize {} PHOTOS --out FILE makes one that is",
                      path, path);
}

}  // namespace resflow
