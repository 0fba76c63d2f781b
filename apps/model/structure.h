// The structure of a network as options that several subcommands share: what torchvision's constructor takes, and what
// the paper's networks have beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/checkpoint/description.h"

namespace resflow {

// A member that is empty, 0 or false was not given: it is what the architecture, or the file, says.
struct StructureOptions {
  std::string block = {};            // "basic", "bottleneck": with `layers`, in place of a model's name
  std::vector<int64_t> layers = {};  // blocks of each stage
  int64_t groups = 0, width_per_group = 0;
  int64_t channels = 0;  // of the stem
  bool zero_init_residual = false;
  std::vector<int64_t> replace_stride_with_dilation = {};  // 0 or 1 for each stage after the first
  std::string norm = {};                                   // "batch", "group"
  int64_t norm_groups = 0;
  std::string shortcut = {};  // "projection", "padding"
  std::string stem = {};      // "imagenet", "cifar"
  bool no_residual = false;
  bool operator==(const StructureOptions&) const = default;
};

// The shortest description (graph/model/model_zoo.h) of `architecture` with the options. Throws Error{kUsage} for an
// unknown architecture, and for what no network can have.
ModelDescription description_of(const std::string& architecture, const StructureOptions& options, int64_t num_classes);

// The inverse, but for the architecture and the number of classes.
StructureOptions structure_of(const ModelDescription& description);

// What a file says, but for what was given: the shortest description of that. Throws as description_of does.
ModelDescription with_structure(const ModelDescription& of_file, const StructureOptions& given);

// The name that `model` and the options make: that of networks of no name where block or layers are given. Throws
// Error{kUsage} where `model_given` is another name beside these.
std::string model_or_unnamed(const std::string& model, bool model_given, const StructureOptions& options);

// "norm group, layers 3,4,6,3": those that were given, as marked settings. Empty where none was.
std::string given_text(const StructureOptions& options);

// How pictures are prepared for scoring at `image_size` where nothing else is known: as for ImageNet, resized to 256
// for a crop of 224; with the stem for CIFAR whole, at their size. ImageNet's mean and deviation in any case.
Preprocessing usual_preprocessing(const ModelDescription& model, int image_size);

}  // namespace resflow
