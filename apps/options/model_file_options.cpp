#include "apps/options/model_file_options.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"

namespace resflow {

void add_model_file_argument(CLI::App& command, std::string& model) {
  command
      .add_option("MODEL", model,
                  "run/best.resflow; a .pth or .safetensors; or torchvision's weights by name, resnet34:IMAGENET1K_V1 "
                  "(resflow weights lists them)")
      ->required();
}

void add_model_file_options(CLI::App& command, ModelFileOptions& options) {
  command.add_option(
      "--model", options.architecture,
      fmt::format("the file must be this one [recognised by its tensors]: {}", fmt::join(model_names(), ", ")));
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
