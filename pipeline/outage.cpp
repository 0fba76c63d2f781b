#include "pipeline/outage.h"

#include <algorithm>

#include "io/core/setting.h"

namespace resflow {

void UnreadFiles::read() {
  in_a_row_ = 0;
  any_read_ = true;
}

void UnreadFiles::unread(const std::string& name, const std::string& reason) {
  if (most_ == 0) return;
  if (++in_a_row_ == 1) first_ = fmt::format("{}: {}", name, reason);
  const int64_t most = any_read_ && all_ > 0 ? std::min(most_, all_) : most_;
  if (in_a_row_ < most) return;
  in_a_row_ = 0;
  throw Outage(
      fmt::format("the last {} files in a row cannot be read, the first of them {}: is the disk still there? "
                  "Where they are really gone, {} 0 goes on without them",
                  most, first_, setting("outage")));
}

}  // namespace resflow
