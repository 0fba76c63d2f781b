#include "apps/options/augment_options.h"

#include <CLI/CLI.hpp>

namespace resflow {
namespace {

// Without allow_extra_args(false) CLI11 would take the words after a list for more elements of it.
CLI::Option* add_list(CLI::App& command, const char* name, std::vector<double>& values, const char* help) {
  return command.add_option(name, values, help)->delimiter(',')->allow_extra_args(false);
}

}  // namespace

void add_augment_options(CLI::App& command, AugmentOptions& o) {
  add_list(command, "--crop-scale", o.crop_scale, "low,high: the part of a picture's area that a crop shows")
      ->capture_default_str();
  command.add_option("--hflip", o.hflip, "how probably a picture is mirrored")->capture_default_str();
  command
      .add_option("--auto-augment", o.auto_augment,
                  "none, randaugment or trivialaugment: operations drawn of fourteen that move and recolour a picture")
      ->capture_default_str();
  command.add_option("--ra-ops", o.ra_ops, "randaugment: operations a picture")->capture_default_str();
  command.add_option("--ra-magnitude", o.ra_magnitude, "randaugment: how strong, 0 to 30")->capture_default_str();
  add_list(command, "--color-jitter", o.color_jitter,
           "brightness,contrast,saturation,hue: how far each changes at random, like 0.4,0.4,0.4,0.1");
  command.add_option("--random-erase", o.random_erase, "how probably a rectangle of a picture is erased")
      ->capture_default_str();
}

void add_mix_options(CLI::App& command, AugmentOptions& o) {
  command
      .add_option("--mixup", o.mixup,
                  "alpha, like 0.2: every batch's pictures and targets are blended in pairs, by Beta(alpha, alpha)")
      ->capture_default_str();
  command
      .add_option("--cutmix", o.cutmix,
                  "alpha, like 1: a box of each picture comes from another; beside --mixup either, by chance")
      ->capture_default_str();
}

}  // namespace resflow
