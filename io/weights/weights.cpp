#include "io/weights/weights.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "io/checkpoint/checkpoint.h"
#include "io/core/error.h"
#include "io/pth/pth.h"
#include "io/weights/model_metadata.h"
#include "io/weights/onnx.h"
#include "io/weights/safetensors.h"

namespace resflow {
namespace {

WeightsSummary from(CheckpointSummary summary) {
  return {.format = WeightsFormat::kCheckpoint,
          .variant = fmt::format("version {}", summary.format_version),
          .tensors = std::move(summary.parameters),
          .metadata = to_texts(metadata_of(summary.checkpoint)),
          .found_under = {},
          .prefix = {}};
}

WeightsSummary from(PthSummary summary) {
  return {.format = WeightsFormat::kPth,
          .variant = summary.legacy ? "legacy" : "zip",
          .tensors = std::move(summary.tensors),
          .metadata = {},
          .found_under = std::move(summary.found_under),
          .prefix = std::move(summary.prefix)};
}

WeightsSummary from(SafetensorsSummary summary) {
  return {.format = WeightsFormat::kSafetensors,
          .variant = {},
          .tensors = std::move(summary.tensors),
          .metadata = std::move(summary.metadata),
          .found_under = {},
          .prefix = {}};
}

WeightsSummary from(OnnxSummary summary) {
  return {.format = WeightsFormat::kOnnx,
          .variant = fmt::format("opset {}, made by {}", summary.opset,
                                 summary.producer.empty() ? "an unnamed program" : summary.producer),
          .tensors = std::move(summary.tensors),
          .metadata = std::move(summary.metadata),
          .found_under = {},
          .prefix = {}};
}

Weights read_checkpoint(const std::string& path) {
  Weights weights{.summary = from(read_checkpoint_summary(path)), .tensors = {}};
  weights.tensors = load_checkpoint(path).parameters;
  return weights;
}

template <class Read>
Weights from_read(Read read) {
  return {.summary = from(std::move(read.summary)), .tensors = std::move(read.tensors)};
}

[[noreturn]] void refuse_onnx(const std::string& path) {
  throw usage_error("{}: is an ONNX file, which resflow writes and does not read: take the file that it came from",
                    path);
}

struct Format {
  WeightsFormat format;
  std::string_view name;
  std::array<std::string_view, 3> endings;
  bool (*is)(const std::string& path);
  WeightsSummary (*summary)(const std::string& path);
  Weights (*read)(const std::string& path);
};

constexpr std::array<Format, 4> kFormats = {{
    {WeightsFormat::kCheckpoint,
     "resflow",
     {".resflow"},
     is_checkpoint,
     [](const std::string& path) { return from(read_checkpoint_summary(path)); },
     read_checkpoint},
    {WeightsFormat::kSafetensors,
     "safetensors",
     {".safetensors"},
     is_safetensors,
     [](const std::string& path) { return from(read_safetensors_summary(path)); },
     [](const std::string& path) { return from_read(read_safetensors(path)); }},
    {WeightsFormat::kPth,
     "pth",
     {".pth", ".pt", ".th"},
     is_pth,
     [](const std::string& path) { return from(read_pth_summary(path)); },
     [](const std::string& path) { return from_read(read_pth(path)); }},
    {WeightsFormat::kOnnx,
     "onnx",
     {".onnx"},
     is_onnx,
     [](const std::string& path) { return from(read_onnx_summary(path)); },
     [](const std::string& path) -> Weights { refuse_onnx(path); }},
}};

const Format& row_of(WeightsFormat format) {
  return *std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& row) { return row.format == format; });
}

// A damaged file may not show what it is; then its name says whose sentence about it helps.
const Format& format_of(const std::string& path) {
  std::optional<WeightsFormat> format = recognise_weights(path);
  if (!format) format = weights_format_of_name(path);
  if (!format || (*format == WeightsFormat::kOnnx && !is_onnx(path))) {
    throw data_error("{}: is no file of weights that resflow knows: wanted PyTorch's .pth, .safetensors or .resflow",
                     path);
  }
  return row_of(*format);
}

bool ends_with(std::string_view name, std::string_view ending) {
  if (ending.empty() || name.size() < ending.size()) return false;
  return std::equal(ending.begin(), ending.end(), name.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

}  // namespace

std::string_view weights_format_name(WeightsFormat format) { return row_of(format).name; }

std::optional<WeightsFormat> recognise_weights(const std::string& path) {
  const InputFile can_be_read(path);
  for (const Format& row : kFormats)
    if (row.is(path)) return row.format;
  return std::nullopt;
}

std::optional<WeightsFormat> weights_format_of_name(std::string_view path) {
  for (const Format& row : kFormats)
    for (const std::string_view ending : row.endings)
      if (ends_with(path, ending)) return row.format;
  return std::nullopt;
}

WeightsSummary read_weights_summary(const std::string& path) { return format_of(path).summary(path); }

Weights read_weights(const std::string& path) { return format_of(path).read(path); }

}  // namespace resflow
