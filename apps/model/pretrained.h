// torchvision's pretrained ResNets: which files there are, what torchvision says of them, and where they are here.
//
// Facts: torchvision/models/resnet.py, 0.14.1; sizes from the `_file_size` of later releases. The file's name holds the
// first eight digits of its SHA-256, so that a file can be told from any other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/checkpoint/description.h"

namespace resflow {

struct PretrainedWeights {
  std::string_view model, entry;  // "resnet34", "IMAGENET1K_V1"
  std::string_view file;          // "resnet34-b627a593.pth"
  double mebibytes = 0;           // of the file, as torchvision gives it (it says MB)
  double top1 = 0, top5 = 0;      // acc@1 and acc@5 on ImageNet-1K, percent, as torchvision reports them
  int resize = 256;               // evaluation: short side, bilinear; all crop 224
  int64_t parameters = 0;

  std::string name() const;              // "resnet34:IMAGENET1K_V1"
  std::string_view hash_prefix() const;  // "b627a593": the file's SHA-256 begins with it
  std::string url() const;
  Preprocessing preprocessing() const;
};

// Models in the order of model_names(), entries in torchvision's.
std::span<const PretrainedWeights> pretrained_weights();

// The one that torchvision's DEFAULT stands for: the last of the model. REQUIRES: a model of the table.
const PretrainedWeights& default_weights(std::string_view model);

// True for MODEL:ENTRY and for a model's name alone, unless there is a file of that name.
bool names_pretrained(const std::string& text);

// The entry that `spec` names, "resnet34:IMAGENET1K_V1" or "resnet34:DEFAULT".
// Throws Error{kUsage} for an unknown model or entry, with those that there are.
const PretrainedWeights& pretrained_named(const std::string& spec);

// The entry whose hash this is, or null: a file of torchvision's under any name is recognised by it.
const PretrainedWeights* pretrained_of_hash(std::string_view sha256);

// $RESFLOW_WEIGHTS, $TORCH_HOME/hub/checkpoints, ${XDG_CACHE_HOME:-~/.cache}/torch/hub/checkpoints: those that are set,
// in this order.
std::vector<std::string> pretrained_folders();

// The first file of that name in those folders; its content is not looked at.
std::optional<std::string> locate_pretrained(const PretrainedWeights& weights);

struct PretrainedFile {
  const PretrainedWeights* weights = nullptr;
  std::string path, sha256;
};

// The file, its hash verified. Throws Error{kData} where there is none (which to get, and where to put it) and where
// its SHA-256 is another.
PretrainedFile find_pretrained(const PretrainedWeights& weights);
PretrainedFile find_pretrained(const std::string& spec);  // Throws as pretrained_named, too.

}  // namespace resflow
