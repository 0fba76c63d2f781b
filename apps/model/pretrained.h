// torchvision's pretrained ResNets, and timm's of the same networks: which files there are, what their makers say of
// them, and where they are here.
//
// Facts: torchvision/models/resnet.py, 0.14.1; sizes from the `_file_size` of later releases. timm: timm_weights.inc.
// The name of a .pth holds the first eight digits of its SHA-256, so that a file can be told from any other. What the
// Hugging Face hub has of timm's, model.safetensors, has no such name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/checkpoint/description.h"

namespace resflow {

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): few, and in the order in which people read them
struct PretrainedWeights {
  std::string_view model, entry;  // "resnet34", "IMAGENET1K_V1"; timm's resnet34.a1_in1k: "resnet34", "a1_in1k"
  std::string_view file;          // "resnet34-b627a593.pth"; timm's "resnet34.a1_in1k.safetensors"
  double mebibytes = 0;           // of the file, as torchvision gives it (it says MB); of timm's: of the parameters
  double top1 = 0, top5 = 0;      // acc@1 and acc@5 on ImageNet-1K, percent, as their maker reports them
  int resize = 256;               // evaluation: short side
  int64_t parameters = 0;
  int crop = 224;        // evaluation
  int train_size = 224;  // what it was trained at
  std::string_view interpolation = "bilinear";
  bool halves = false;        // mean and deviation are 1/2, not ImageNet's
  std::string_view pth = {};  // of timm's: where the same weights are as a .pth; may be empty
  bool of_timm = false;

  std::string name() const;              // "resnet34:IMAGENET1K_V1"
  std::string_view pth_file() const;     // "resnet34-b627a593.pth", "resnet34_a1_0-46f8f793.pth"; empty: there is none
  std::string_view hash_prefix() const;  // "b627a593": the SHA-256 of pth_file() begins with it
  std::string url() const;               // of `file`
  Preprocessing preprocessing() const;
};

// Models in the order of model_names(), of each torchvision's entries, then timm's, in their orders.
std::span<const PretrainedWeights> pretrained_weights();

// The one that torchvision's DEFAULT stands for: its last of the model. REQUIRES: a model of the table.
const PretrainedWeights& default_weights(std::string_view model);

// True for MODEL:ENTRY and for a model's name alone, unless there is a file of that name.
bool names_pretrained(const std::string& text);

// The entry that `spec` names, "resnet34:IMAGENET1K_V1" or "resnet34:DEFAULT".
// Throws Error{kUsage} for an unknown model or entry, with those that there are.
const PretrainedWeights& pretrained_named(const std::string& spec);

// The entry whose hash this is, torchvision's before timm's, or null: their .pth files are recognised by it under any
// name.
const PretrainedWeights* pretrained_of_hash(std::string_view sha256);

// $RESFLOW_WEIGHTS, $TORCH_HOME/hub/checkpoints, ${XDG_CACHE_HOME:-~/.cache}/torch/hub/checkpoints: those that are set,
// in this order.
std::vector<std::string> pretrained_folders();

// Where the Hugging Face hub's own cache is: $HF_HUB_CACHE, or hub/ in $HF_HOME,
// ${XDG_CACHE_HOME:-~/.cache}/huggingface. Empty where none of them is set.
std::string hub_cache();

// The first file of that name in those folders, of timm's also its .pth there, and what the hub's cache has of it; its
// content is not looked at.
std::optional<std::string> locate_pretrained(const PretrainedWeights& weights);

// Whether the name of this file of the entry says its hash.
bool says_hash(const PretrainedWeights& weights, const std::string& path);

struct PretrainedFile {
  const PretrainedWeights* weights = nullptr;
  std::string path, sha256;
};

// The file, its hash verified where its name says one. Throws Error{kData} where there is none (which to get, and where
// to put it) and where its SHA-256 is another.
PretrainedFile find_pretrained(const PretrainedWeights& weights);
PretrainedFile find_pretrained(const std::string& spec);  // Throws as pretrained_named, too.

}  // namespace resflow
