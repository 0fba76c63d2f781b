#include "apps/score/tracked_source.h"

#include <utility>

#include "apps/host/signals.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/xxh3.h"

namespace resflow {

TrackedSource::TrackedSource(PictureSource& inner, std::optional<Shard> shard) : inner_(inner), shard_(shard) {}

bool TrackedSource::list(Picture& picture) {
  if (!inner_.next(picture)) return false;
  ++listed_.pictures;
  listed_.names = xxh3_next(listed_.names, picture.name);
  return true;
}

Error TrackedSource::differing(Error error) {
  differs_ = true;
  return error;
}

Error TrackedSource::too_few(int64_t pictures) {
  return differing(usage_error("the inputs hold {}, {} of them had been scored",
                               plural(pictures, "picture", "pictures"), before_.pictures));
}

bool TrackedSource::skip_to(const ListingPlace& place, const std::vector<ListedPicture>& missing) {
  before_ = place;
  missing_.assign(missing.begin(), missing.end());
  skipped_ = place.pictures - static_cast<int64_t>(missing.size());
  if (const auto all = inner_.count(); all && *all < place.pictures) throw too_few(*all);
  const int64_t end = missing.empty() ? place.pictures : missing.front().index;
  Picture picture;
  while (listed_.pictures < end) {
    if (stop_requested()) return false;
    if (!list(picture)) throw too_few(listed_.pictures);
  }
  if (missing.empty()) check_place(picture);
  return true;
}

// All that was listed before is listed again.
void TrackedSource::check_place(const Picture& last) {
  if (before_.pictures > 0 && last.name != before_.last)
    throw differing(usage_error("picture {} of the inputs was {}, now it is {}", before_.pictures,
                                printable(before_.last), printable(last.name)));
  if (listed_.names != before_.names)
    throw differing(usage_error("the first {} pictures of the inputs have other names now", before_.pictures));
  listed_.last = before_.last;
}

bool TrackedSource::is_missing() const { return !missing_.empty() && missing_.front().index == listed_.pictures - 1; }

// Of the one that was listed last.
bool TrackedSource::is_wanted(const Picture& picture) {
  if (listed_.pictures > before_.pictures) return !shard_ || shard_->has(picture.name);
  if (is_missing()) {
    if (missing_.front().name == xxh3(picture.name)) return true;
    throw differing(usage_error("picture {} of the inputs had another name, now it is {}", listed_.pictures,
                                printable(picture.name)));
  }
  if (listed_.pictures == before_.pictures) check_place(picture);
  return false;
}

bool TrackedSource::next(Picture& picture) {
  do {
    // Of inputs whose number is known a listing that ends early would not be seen as one that was stopped.
    if (listed_.pictures < before_.pictures && !count() && stop_requested()) return false;
    if (!list(picture)) {
      if (listed_.pictures < before_.pictures) throw too_few(listed_.pictures);
      return false;
    }
  } while (!is_wanted(picture));
  listed_.last = picture.name;
  // At once: at no moment it may be neither of the two.
  const std::lock_guard lock(mutex_);
  if (is_missing()) missing_.pop_front();
  under_way_.emplace(given_++, listed_);
  return true;
}

std::optional<int64_t> TrackedSource::count() const {
  const std::optional<int64_t> all = inner_.count();
  if (shard_ || !all) return std::nullopt;
  return *all - skipped_;
}

ListingPlace TrackedSource::row(int64_t given) {
  const std::lock_guard lock(mutex_);
  auto found = under_way_.extract(given);
  if (found.empty()) throw internal_error("a row came of a picture that was not listed");
  return std::move(found.mapped());
}

std::vector<ListedPicture> TrackedSource::missing(int64_t pictures) const {
  std::vector<ListedPicture> missing;
  const std::lock_guard lock(mutex_);
  for (const auto& [given, place] : under_way_) {
    if (place.pictures > pictures) break;
    missing.push_back({.index = place.pictures - 1, .name = xxh3(place.last)});
  }
  for (const ListedPicture& picture : missing_)
    if (picture.index < pictures) missing.push_back(picture);
  return missing;
}

}  // namespace resflow
