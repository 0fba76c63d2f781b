// Any file of weights as what a model needs: resflow's own checkpoints, .pth, .safetensors, torchvision's entries.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "io/model_metadata.h"
#include "io/weights.h"

namespace resflow {

// What the command line says about a file; empty and 0: what the file says, or what is recognised.
struct ModelFileOptions {
  std::string architecture;    // --model
  std::string classes;         // --classes: "imagenet", or a file with a name a line
  int resize = 0, crop = 0;    // --resize, --crop: only for files that carry no preprocessing
  bool recognise_hash = true;  // take torchvision's own files for what they are, whatever they are called
};

struct ModelFile {
  Checkpoint checkpoint;  // f32 and i64, fits its description; `provenance` says how it came to be
  WeightsFormat format = WeightsFormat::kCheckpoint;
  bool names_classes = false;      // false: they are called "class 0", "class 1", ...
  bool has_preprocessing = false;  // false: ImageNet's, resize 256 and crop 224, or what the options say
  std::vector<std::string> notes;  // sentences that the user should see: what was assumed or converted
};

// `path` is a file, or one of torchvision's entries ("resnet34:IMAGENET1K_V1", apps/pretrained.h).
// Throws Error{kData} where the file is damaged or fits no model (what does not fit), or where class names and outputs
// differ in number; Error{kUsage} for an unknown --model, for --resize or --crop where the file has its own, and as
// find_pretrained does.
ModelFile load_model_file(const std::string& path, const ModelFileOptions& options);

// The same without the tensors' values: what is known of a file's model from its header, the command line and the
// file's hash. `fits` is false where the tensors are no model's and --model was not given; nothing is known then.
struct ModelFacts {
  bool fits = false;
  ModelMetadata metadata;  // only what is known; `provenance` as the file has it
  ModelDescription description;
  std::vector<std::string> notes;
};
ModelFacts model_facts(const std::string& path, const WeightsSummary& summary, const ModelFileOptions& options);

// Where `path` is an entry's name its file, verified; else `path` itself.
std::string resolve_weights(const std::string& path);

// "weights of x.pth: conv1.weight holds 3 NaN and 1 infinite, ...", for people; empty where all are finite.
std::string describe_not_finite(std::span<const NamedArray> tensors);

}  // namespace resflow
