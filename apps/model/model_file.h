// Any file of weights as what a model needs: resflow's own checkpoints, .pth, .safetensors, torchvision's entries.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/model/structure.h"
#include "graph/model/find_model.h"
#include "graph/model/recognise.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/listener.h"
#include "io/weights/model_metadata.h"
#include "io/weights/weights.h"

namespace resflow {

// What the caller knows about a file. Where a member is empty or 0, the file's own word counts, or what is recognised.
struct ModelFileOptions {
  std::string architecture = {};
  StructureOptions structure =
      {};                    // what no tensor shows: dilation, groups of group norms, a network without shortcuts
  std::string classes = {};  // "imagenet", or a file with a name a line
  // Only for files that carry no preprocessing. A crop alone brings the resize that goes with it.
  int resize = 0, crop = 0;
  // Which of several models in a file: the key of its dictionary, and what stands before its names.
  std::string weights_key = {}, weights_prefix = {};
  // Take torchvision's own files for what they are under any name, by their SHA-256: reads a file with 1000 classes.
  bool by_hash = true;
  // A network without its last layer is taken, too: load_model_file() gives it one of zeros, of a single class.
  bool headless = false;
};

// What is known of a file's model without reading its tensors' values.
struct ModelFacts {
  std::string path;                   // of the file; of torchvision's where the name was an entry's
  WeightsSummary summary;             // its tensors are those of `place` by the model's names, where there is one
  std::optional<FoundModel> place;    // of a whole model
  std::optional<FoundModel> nearest;  // where none is whole, and a part of one is there
  ModelMatch match;  // the model that it is, where match.fit.fits(); else the nearest, or the given architecture
  std::optional<std::vector<std::string>> classes;
  std::optional<Preprocessing> preprocessing;
  Head head;
  std::optional<Quantization> quantization;
  Texts provenance;
  std::vector<std::string> notes;  // sentences for the user, which may hold marked settings
};

// `name` is a file, or one of torchvision's entries ("resnet34:IMAGENET1K_V1", apps/model/pretrained.h).
// Throws Error{kData} where the file is damaged, and where class names and outputs differ in number; Error{kUsage} for
// an unknown architecture, for a key or prefix that no model in the file has, and for a resize or crop where the file
// has its own; and as find_pretrained does. Warns as load_class_names does.
ModelFacts model_facts(const std::string& name, const ModelFileOptions& options, Listener& listener);

// Throws Error{kData} where it is not the model that it should be: how it differs, and the first few names.
void require_model(const ModelFacts& facts, const ModelFileOptions& options);

// "is resnet50 with 1000 classes but for 3 of 320 tensors: missing: ..." of facts that fit no model.
std::string describe_misfit(const ModelFacts& facts);

// The values of facts.summary.tensors, one to one, as the file has them. Throws as read_weights does.
std::vector<NamedArray> read_model_values(const ModelFacts& facts);
// Those of facts.nearest, where there is one, by the model's names.
std::vector<NamedArray> read_nearest_values(const ModelFacts& facts);

struct ModelFile {
  bool headless = false;  // the file has no head: what comes out of this one means nothing
  // Its tensors are f32 and i64, and those of its description. The training state of a checkpoint is kept.
  Checkpoint checkpoint;
  ModelFacts facts;                // as the file has them: without what was assumed
  std::vector<std::string> notes;  // facts.notes, and what was assumed or converted
};

// Classes without names are called "class 0", "class 1", ...; preprocessing that is not known is ImageNet's, resize 256
// and crop 224. Throws as model_facts, require_model and read_weights do.
ModelFile load_model_file(const std::string& name, const ModelFileOptions& options, Listener& listener);

// listener.note() for each.
void say_notes(std::span<const std::string> notes, Listener& listener);

// "conv1.weight (3 NaN, 1 infinite), fc.bias (1 NaN)", the first 20 and "and 12 more"; empty where all are finite.
std::string describe_not_finite(std::span<const NamedArray> tensors);

}  // namespace resflow
