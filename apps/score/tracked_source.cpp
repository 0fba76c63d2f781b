#include "apps/score/tracked_source.h"

#include <utility>

#include "io/core/setting.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/core/wording.h"
#include "io/files/file_state.h"
#include "io/files/xxh3.h"

namespace resflow {

namespace {

// An archive's member has come with its bytes.
uint64_t state_of(const Picture& picture) {
  return picture.path.empty() ? picture.bytes.size() : file_state(picture.path);
}

}  // namespace

TrackedSource::TrackedSource(PictureSource& inner, Listener& listener, std::optional<Shard> shard, Unscored* unscored,
                             TrackedSourceOptions options)
    : inner_(inner), listener_(listener), shard_(shard), unscored_(unscored), options_(std::move(options)) {}

bool TrackedSource::is_of_shard(const Picture& picture) const { return !shard_ || shard_->has(picture.name); }

bool TrackedSource::list(Picture& picture) {
  if (!inner_.next(picture)) return false;
  ++listed_.pictures;
  listed_.names = xxh3_next(listed_.names, picture.name);
  if (is_of_shard(picture)) {
    const uint64_t state = state_of(picture);
    listed_.files = xxh3_next(*listed_.files, {reinterpret_cast<const char*>(&state), sizeof state});
  }
  return true;
}

Error TrackedSource::differing(Error error) const {
  differs_ = true;
  return error;
}

Error TrackedSource::too_few(int64_t pictures) const {
  return differing(usage_error("the inputs hold {}, {} of them had been scored",
                               plural(pictures, "picture", "pictures"), before_.pictures));
}

bool TrackedSource::skip_to(const ListingPlace& place, const std::vector<ListedPicture>& missing) {
  before_ = place;
  missing_.assign(missing.begin(), missing.end());
  if (unscored_ != nullptr)
    for (const ListedPicture& picture : missing) unscored_->add(picture);
  skipped_ = place.pictures - static_cast<int64_t>(missing.size());
  if (const auto all = inner_.count(); all && *all < place.pictures) throw too_few(*all);
  const int64_t end = missing.empty() ? place.pictures : missing.front().index;
  Picture picture;
  while (listed_.pictures < end) {
    if (listener_.stop()) return false;
    if (list(picture)) continue;
    if (listener_.stop()) return false;  // so the listing ended, and nobody knows what more it has
    throw too_few(listed_.pictures);
  }
  if (missing.empty()) check_place(picture);
  return true;
}

// All that was listed before has been listed again.
void TrackedSource::check_place(const Picture& last) const {
  if (before_.pictures > 0 && last.name != before_.last)
    throw differing(usage_error("picture {} of the inputs was {}, now it is {}", before_.pictures,
                                printable(before_.last), printable(last.name)));
  if (listed_.names != before_.names)
    throw differing(usage_error("the first {} pictures of the inputs have other names now", before_.pictures));
  if (options_.changed && before_.files && listed_.files != before_.files) options_.changed(before_.pictures);
}

// Whether the picture that was listed last is one of those that were missing.
bool TrackedSource::is_missing() const { return !missing_.empty() && missing_.front().index == listed_.pictures - 1; }

// Whether the picture that was listed last is to be scored.
bool TrackedSource::is_wanted(const Picture& picture) {
  if (listed_.pictures > before_.pictures) return is_of_shard(picture);
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
    // Where the number of pictures is known, a listing that ended early would not be seen as one that was stopped.
    if (listed_.pictures < before_.pictures && !count() && listener_.stop()) return false;
    if (!list(picture)) {
      if (listed_.pictures < before_.pictures && !listener_.stop()) throw too_few(listed_.pictures);
      return false;
    }
  } while (!is_wanted(picture));
  picture.place = {.index = listed_.pictures - 1, .names = listed_.names, .files = *listed_.files};
  if (options_.most_letters > 0 && picture.error.empty() && letters(picture.name) > options_.most_letters)
    picture.error = fmt::format("its name has {} characters, which is more than the {} of this format: give {} csv",
                                letters(picture.name), options_.most_letters, setting("format"));
  if (is_missing())
    missing_.pop_front();  // skip_to() has added it
  else if (unscored_ != nullptr)
    unscored_->add({.index = picture.place.index, .name = xxh3(picture.name)});
  return true;
}

std::optional<int64_t> TrackedSource::count() const {
  const std::optional<int64_t> all = inner_.count();
  if (shard_ || !all) return std::nullopt;
  return *all - skipped_;
}

}  // namespace resflow
