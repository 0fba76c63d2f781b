#include "apps/options/augment_options.h"

#include "apps/options/option_row.h"

namespace resflow {
namespace {

bool mixes(const Option<AugmentOptions>& option) { return option.name == "mixup" || option.name == "cutmix"; }

}  // namespace

void add_augment_options(CLI::App& command, AugmentOptions& options) {
  for (const Option<AugmentOptions>& option : augment_option_table())
    if (!mixes(option)) add_option_row(command, option, options);
}

void add_mix_options(CLI::App& command, AugmentOptions& options) {
  for (const Option<AugmentOptions>& option : augment_option_table())
    if (mixes(option)) add_option_row(command, option, options);
}

}  // namespace resflow
