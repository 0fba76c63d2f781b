#include "io/weights/weights.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "io/checkpoint/checkpoint.h"
#include "io/core/error.h"
#include "io/files/stand_in.h"
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

using Key = std::optional<std::string>;  // of a dictionary, TensorGroup::key

struct Format {
  WeightsFormat format;
  std::string_view name;
  std::array<std::string_view, 3> endings;
  bool (*is)(const std::string& path);
  // The dictionary is that of the key, where there is one.
  WeightsSummary (*summary)(const std::string& path, const Key& key);
  Weights (*read)(const std::string& path, const Key& key);
};

constexpr std::array<Format, 4> kFormats = {{
    {WeightsFormat::kCheckpoint,
     "resflow",
     {".resflow"},
     is_checkpoint,
     [](const std::string& path, const Key&) { return from(read_checkpoint_summary(path)); },
     [](const std::string& path, const Key&) { return read_checkpoint(path); }},
    {WeightsFormat::kSafetensors,
     "safetensors",
     {".safetensors"},
     is_safetensors,
     [](const std::string& path, const Key&) { return from(read_safetensors_summary(path)); },
     [](const std::string& path, const Key&) { return from_read(read_safetensors(path)); }},
    {WeightsFormat::kPth,
     "pth",
     {".pth", ".pt", ".th"},
     is_pth,
     [](const std::string& path, const Key& key) { return from(read_pth_summary(path, key)); },
     [](const std::string& path, const Key& key) { return from_read(read_pth(path, key)); }},
    {WeightsFormat::kOnnx,
     "onnx",
     {".onnx"},
     is_onnx,
     [](const std::string& path, const Key&) { return from(read_onnx_summary(path)); },
     [](const std::string& path, const Key&) -> Weights { refuse_onnx(path); }},
}};

const Format& row_of(WeightsFormat format) {
  return *std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& row) { return row.format == format; });
}

// Says of a file that holds no weights what it is instead, where its first bytes tell.
void refuse_what_is_none(const std::string& path) {
  const InputFile file(path);
  if (file.size() == 0) throw data_error("{}: is empty: was it downloaded to its end?", path);
  std::array<char, 512> bytes{};
  const auto size = static_cast<size_t>(std::min<int64_t>(file.size(), bytes.size()));
  file.read(0, {reinterpret_cast<uint8_t*>(bytes.data()), size});
  std::string_view start(bytes.data(), size);
  if (const std::string pointer = lfs_pointer(start); !pointer.empty()) throw data_error("{}: {}", path, pointer);
  if (is_web_page(start)) throw data_error("{}: is a web page: the download gave a page, not the file", path);
}

// A damaged file may not show what it is; then its name says whose sentence about it helps.
const Format& format_of(const std::string& path) {
  refuse_what_is_none(path);
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

WeightsListing list_weights(const std::string& path) {
  const Format& row = format_of(path);
  WeightsListing listing;
  if (row.format == WeightsFormat::kPth) {
    PthListing pth = list_pth(path);
    listing.summary = from(std::move(pth.summary));
    listing.groups = std::move(pth.groups);
  } else {
    listing.summary = row.summary(path, {});
    listing.groups = {{.key = {}, .tensors = listing.summary.tensors}};
  }
  return listing;
}

WeightsSummary read_weights_summary(const std::string& path, const Key& key) {
  return format_of(path).summary(path, key);
}

Weights read_weights(const std::string& path, const Key& key) { return format_of(path).read(path, key); }

}  // namespace resflow
