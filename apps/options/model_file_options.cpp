#include "apps/options/model_file_options.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "apps/options/structure_options.h"
#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"

namespace resflow {

void add_model_file_argument(CLI::App& command, std::string& model) {
  command
      .add_option(
          "MODEL", model,
          "run/best.resflow; a .pth or .safetensors; or weights of torchvision or timm by name, resnet34:IMAGENET1K_V1 "
          "(resflow weights lists them)")
      ->required();
}

void add_weights_place_options(CLI::App& command, std::string& key, std::string& prefix) {
  command.add_option(
      "--weights-key", key,
      "of several models in a .pth: the one under this key, state_dict_ema [resflow inspect lists them]");
  command.add_option("--weights-prefix", prefix,
                     "of several models in a file: the one whose names begin with this, module.encoder_q");
}

void add_model_file_options(CLI::App& command, ModelFileOptions& options) {
  command.add_option(
      "--model", options.architecture,
      fmt::format("the file must be this one [recognised by its tensors]: {}", fmt::join(all_model_names(), ", ")));
  add_unseen_structure_options(command, options.structure);
  add_weights_place_options(command, options.weights_key, options.weights_prefix);
  command.add_option(
      "--classes", options.classes,
      "names of the classes: imagenet, or a text file with a name a line, class 0 first [the file's own]");
}

void add_preprocessing_options(CLI::App& command, ModelFileOptions& options) {
  constexpr auto kMinSide = static_cast<int>(kMinImageSize);
  constexpr int kMaxSide = 4096;
  command
      .add_option("--resize", options.resize,
                  "short side before the crop, where the file does not say [256, or crop x 256 / 224]")
      ->check(CLI::Range(kMinSide, kMaxSide));
  command.add_option("--crop", options.crop, "side of the centre crop, where the file does not say [224]")
      ->check(CLI::Range(kMinSide, kMaxSide));
}

}  // namespace resflow
