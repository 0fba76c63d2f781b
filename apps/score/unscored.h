// The pictures that have been listed and have no row yet. A run whose rows come in any order says with it, when it ends
// early, which pictures before its place are still to be scored.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "apps/score/listing_place.h"

namespace resflow {

// Whoever lists adds to it, and whoever writes rows takes away; both may do so at the same time. It holds no more
// pictures than are under way at once, and those that an earlier run left.
class Unscored {
 public:
  void add(const ListedPicture& picture);

  // The row of the picture with this index has come. Throws Error{kInternal} where nobody has added it.
  void remove(int64_t index);

  // Those among the first `pictures` pictures of the listing, as they are listed.
  std::vector<ListedPicture> before(int64_t pictures) const;

 private:
  mutable std::mutex mutex_;
  std::map<int64_t, uint64_t> names_;  // by index
};

}  // namespace resflow
