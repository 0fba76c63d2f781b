#include "apps/train/option_conditions.h"

#include "apps/train/option_table.h"
#include "io/core/error.h"

namespace resflow {
namespace {

std::string useless_in_mode(const Option<TrainOptions>& option, const TrainOptions& o) {
  const bool features = o.mode == "features", svm = o.mode == "svm";
  const unsigned here = features ? kInFeatures : svm ? kInSvm : kInNetwork;
  const bool copies = (features || svm) && o.augment_copies > 0 && (option.modes & kInCopies) != 0;
  if ((option.modes & here) != 0 || copies) return {};
  const std::string name = setting(option.name), mode = setting("mode");
  if (features || svm) return fmt::format("{} does nothing with {} {}: leave it out", name, mode, o.mode);
  const bool both = (option.modes & kInFeatures) != 0;
  return fmt::format("{} goes with {} {}, not {}", name, mode, both ? "features or svm" : "svm", o.mode);
}

bool is_default(const std::string& name, const TrainOptions& options) {
  const Option<TrainOptions>& option = *find_option(train_option_table(), name);
  return text_of(option, options) == text_of(option, TrainOptions{});
}

}  // namespace

std::string why_useless(const Option<TrainOptions>& option, const TrainOptions& options) {
  const std::string reason = unmet_need(train_option_table(), option, options);
  return reason.empty() ? useless_in_mode(option, options) : reason;
}

void check_exclusions(const TrainOptions& options) {
  for (const Option<TrainOptions>& option : train_option_table()) {
    if (option.excludes.empty() || is_default(option.name, options)) continue;
    for (const auto& [group] : option.excludes) {
      if (std::all_of(group.begin(), group.end(), [&](const auto& other) { return is_default(other, options); }))
        continue;
      if (group.size() == 1)
        throw usage_error("{} and {}: one or the other", setting(option.name), setting(group.front()));
      throw usage_error("{} goes with neither {} nor {}", setting(option.name), setting(group[0]), setting(group[1]));
    }
  }
}

}  // namespace resflow
