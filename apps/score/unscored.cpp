#include "apps/score/unscored.h"

#include "io/core/error.h"

namespace resflow {

void Unscored::add(const ListedPicture& picture) {
  const std::lock_guard lock(mutex_);
  names_.emplace(picture.index, picture.name);
}

void Unscored::remove(int64_t index) {
  const std::lock_guard lock(mutex_);
  if (names_.erase(index) == 0) throw internal_error("a row came of picture {}, which was not listed", index);
}

std::vector<ListedPicture> Unscored::before(int64_t pictures) const {
  std::vector<ListedPicture> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [index, name] : names_) {
    if (index >= pictures) break;
    all.push_back({.index = index, .name = name});
  }
  return all;
}

}  // namespace resflow
