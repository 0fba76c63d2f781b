// Files of weights in any format that resflow knows: tensors by name, as a state dict lists them.
//
// A format is one file of its own (io/pth/pth.h, io/weights/safetensors.h, io/checkpoint/checkpoint.h,
// io/weights/onnx.h) and one line in the table of weights.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/core/named_array.h"

namespace resflow {

enum class WeightsFormat { kCheckpoint, kPth, kSafetensors, kOnnx };

std::string_view weights_format_name(WeightsFormat format);  // "pth", as options and files name it

// The format that the file's first bytes tell; nothing where it is of none. Throws Error{kData} where it cannot be
// read.
std::optional<WeightsFormat> recognise_weights(const std::string& path);

// The format that the name's ending tells (.pth, .pt, .th; .safetensors; .onnx; .resflow); nothing for another ending.
std::optional<WeightsFormat> weights_format_of_name(std::string_view path);

// What the header of a file says; no tensor's values are read.
struct WeightsSummary {
  WeightsFormat format = WeightsFormat::kCheckpoint;
  std::string variant;  // "zip", "legacy"; empty where there is but one
  std::vector<TensorEntry> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;  // texts that the file carries beside its tensors
  std::string found_under;  // the entry of the file's dictionary that held the tensors: "state_dict"; empty: itself
  std::string prefix;       // that stood before every name and was taken off: "module."
};

// Of a file that holds several dictionaries, `key` is that of the one that is meant (TensorGroup::key), and names are
// then as the file has them; without it io/pth/pth.h says which one it is. Throws Error{kData}, whose sentence says
// what in the file is damaged, foreign or refused, and where.
WeightsSummary read_weights_summary(const std::string& path, const std::optional<std::string>& key = {});

// Every dictionary of tensors in the file. A .pth may hold several; the other formats are one. Reads no values, and
// what describes them once. Throws as read_weights_summary does, but a .pth without a dictionary of tensors has no
// group.
struct WeightsListing {
  WeightsSummary summary;           // of a .pth without the tensors
  std::vector<TensorGroup> groups;  // of the other formats the one
};
WeightsListing list_weights(const std::string& path);

struct Weights {
  WeightsSummary summary;
  std::vector<NamedArray> tensors;  // of summary.tensors, one to one
};

// Throws as read_weights_summary does, and Error{kUsage} for an ONNX file, whose values are not read.
Weights read_weights(const std::string& path, const std::optional<std::string>& key = {});

}  // namespace resflow
