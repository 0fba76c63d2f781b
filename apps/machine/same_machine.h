// A run that goes on elsewhere: on another machine, with other versions or other threads.
#pragma once

#include <string>

#include "io/core/listener.h"

namespace resflow {

// `before` and `now` are run_fingerprint()s. Where they differ, warns that the bits may, too; where `strict`, throws
// Error{kUsage} instead. Silent where nobody noted `before`, as in files of older versions.
void check_same_machine(const std::string& before, const std::string& now, bool strict, Listener& listener);

// The same where pictures were changed: `what` is which of them.
void say_changed_pictures(const std::string& what, bool strict, Listener& listener);

}  // namespace resflow
