#include "apps/model/precision.h"

#include "io/core/error.h"

namespace resflow {

Precision checked_precision(const PrecisionOptions& options) {
  Precision precision{};
  try {
    precision = precision_of_name(options.name);
  } catch (const Error&) {
    throw usage_error("{} {}: wanted f32, bf16 or int8", setting("precision"), options.name);
  }
  if (options.force && precision != Precision::kBf16)
    throw usage_error("{}: is about {} bf16, not {}", setting("force_precision"), setting("precision"), options.name);
  if (precision != Precision::kBf16 || options.force) return precision;
  if (const std::string obstacle = precision_obstacle(precision); !obstacle.empty())
    throw usage_error("{} bf16: {}, so it is no faster than f32; {} runs it all the same", setting("precision"),
                      obstacle, setting("force_precision"));
  return precision;
}

void warn_of_obstacle(Precision precision, Listener& listener) {
  if (const std::string obstacle = precision_obstacle(precision); !obstacle.empty())
    listener.warn(fmt::format("{} {}: {}, so it is no faster than f32, or slower", setting("precision"),
                              precision_name(precision), obstacle));
}

Precision resolve_precision(const PrecisionOptions& options, Listener& listener) {
  const Precision precision = checked_precision(options);
  warn_of_obstacle(precision, listener);
  return precision;
}

Precision training_precision(const PrecisionOptions& options) {
  if (options.name == precision_name(Precision::kInt8))
    throw usage_error("{} int8: wanted f32 or bf16; int8 is for scoring a quantized model", setting("precision"));
  if (options.name != precision_name(Precision::kF32) && options.name != precision_name(Precision::kBf16))
    throw usage_error("{} {}: wanted f32 or bf16", setting("precision"), options.name);
  return checked_precision(options);
}

Precision resolve_training_precision(const PrecisionOptions& options, Listener& listener) {
  const Precision precision = training_precision(options);
  warn_of_obstacle(precision, listener);
  return precision;
}

void require_quantized(const TrainedModel& trained, Precision precision, const std::string& path) {
  if (precision == Precision::kInt8 && !trained.model->quantization())
    throw usage_error("{} int8: {} is not quantized", setting("precision"), path);
}

}  // namespace resflow
