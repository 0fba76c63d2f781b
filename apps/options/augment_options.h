// How training changes its photographs at random, as options that several subcommands share.
#pragma once

#include "apps/train/augment_options.h"

namespace CLI {
class App;
}

namespace resflow {

// --crop-scale --hflip --auto-augment --ra-ops --ra-magnitude --color-jitter --random-erase
void add_augment_options(CLI::App& command, AugmentOptions& options);
// --mixup --cutmix, which mix a batch's pictures and targets.
void add_mix_options(CLI::App& command, AugmentOptions& options);

}  // namespace resflow
