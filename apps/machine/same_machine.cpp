#include "apps/machine/same_machine.h"

#include <fmt/format.h>

#include "io/core/error.h"

namespace resflow {

void check_same_machine(const std::string& before, const std::string& now, bool strict, Listener& listener) {
  if (before.empty() || before == now) return;
  if (strict)
    throw usage_error("{}: this run began on {}; on {} its bits may differ: go on there, or leave out {}",
                      setting("strict"), before, now, setting("strict"));
  listener.warn(fmt::format("this run began on {}; on {} it goes on as well, but not to the same bits", before, now));
}

void say_changed_pictures(const std::string& what, bool strict, Listener& listener) {
  constexpr const char* kWords = "{} were changed since (their sizes or times are others)";
  if (strict)
    throw usage_error("{}: {}: bring them back, or leave out {}", setting("strict"), fmt::format(kWords, what),
                      setting("strict"));
  listener.warn(fmt::format(kWords, what) + ": what was made of them before stays as it is");
}

}  // namespace resflow
