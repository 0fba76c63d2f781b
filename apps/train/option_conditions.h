// Which options mean something beside the others, as their table says.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "apps/train/option.h"
#include "apps/train/options.h"
#include "io/core/setting.h"

namespace resflow {

// "step_size goes with schedule step, not cosine" where `option` needs another value of another option; else empty.
template <class Options>
std::string unmet_need(const std::vector<Option<Options>>& table, const Option<Options>& option,
                       const Options& options) {
  const Option<Options>* decider = find_option(table, option.needs.option);
  if (decider == nullptr) return {};
  const std::string now = text_of(*decider, options);
  const std::vector<std::string>& wanted = option.needs.values;
  if (std::find(wanted.begin(), wanted.end(), now) != wanted.end()) return {};
  return fmt::format("{} goes with {} {}, not {}", setting(option.name), setting(decider->name),
                     fmt::join(wanted, " or "), now);
}

// Why `option` would do nothing beside the others: of another one's value, or of the mode. Empty where it does
// something. REQUIRES: the mode is decided; see resolve().
std::string why_useless(const Option<TrainOptions>& option, const TrainOptions& options);

// Throws Error{kUsage} for two options that exclude each other.
void check_exclusions(const TrainOptions& options);

}  // namespace resflow
