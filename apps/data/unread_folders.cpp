#include "apps/data/unread_folders.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/core/wording.h"

namespace resflow {

void warn_of_unread_folders(const Dataset& dataset, Listener& listener) {
  constexpr size_t kNamed = 5;
  const size_t all = dataset.unread.size(), named = std::min(all, kNamed);
  for (size_t i = 0; i < named; ++i) {
    const UnreadFolder& folder = dataset.unread[i];
    listener.warn(fmt::format("{}: {}: left out, with whatever is in it", folder.path, folder.reason));
  }
  if (all > named)
    listener.warn(
        fmt::format("{} cannot be read either: left out", plural(all - named, "more folder", "more folders")));
}

}  // namespace resflow
