#include "apps/tracked_source.h"

#include <utility>

#include "apps/signals.h"
#include "io/error.h"
#include "io/text.h"
#include "io/xxh3.h"

namespace resflow {

TrackedSource::TrackedSource(PictureSource& inner, std::optional<Shard> shard) : inner_(inner), shard_(shard) {}

bool TrackedSource::list(Picture& picture) {
  if (!inner_.next(picture)) return false;
  ++listed_.pictures;
  listed_.names = xxh3_next(listed_.names, picture.name);
  return true;
}

bool TrackedSource::skip_to(const ListingPlace& place) {
  Picture picture;
  while (listed_.pictures < place.pictures) {
    if (stop_requested()) return false;
    if (!list(picture))
      throw usage_error("the inputs hold {} pictures, {} of them had been scored", listed_.pictures, place.pictures);
  }
  if (place.pictures > 0 && picture.name != place.last)
    throw usage_error("picture {} of the inputs was {}, now it is {}", place.pictures, printable(place.last),
                      printable(picture.name));
  if (listed_.names != place.names)
    throw usage_error("the first {} pictures of the inputs have other names now", place.pictures);
  listed_.last = place.last;
  skipped_ = place.pictures;
  return true;
}

bool TrackedSource::next(Picture& picture) {
  do {
    if (!list(picture)) return false;
  } while (shard_ && !shard_->has(picture.name));
  listed_.last = picture.name;
  const std::lock_guard lock(mutex_);
  under_way_.push_back(listed_);
  return true;
}

std::optional<int64_t> TrackedSource::count() const {
  const std::optional<int64_t> all = inner_.count();
  if (shard_ || !all) return std::nullopt;
  return *all - skipped_;
}

ListingPlace TrackedSource::next_row() {
  const std::lock_guard lock(mutex_);
  if (under_way_.empty()) throw internal_error("a row came of a picture that was not listed");
  ListingPlace place = std::move(under_way_.front());
  under_way_.pop_front();
  return place;
}

}  // namespace resflow
