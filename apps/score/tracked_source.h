// The pictures that are to be scored now: those of the shard that were not scored before; and which place of the whole
// listing each came from.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "apps/score/journal.h"
#include "apps/score/shard.h"
#include "io/core/error.h"
#include "io/pictures/picture_source.h"

namespace resflow {

class TrackedSource : public PictureSource {
 public:
  // `inner` outlives it.
  explicit TrackedSource(PictureSource& inner, std::optional<Shard> shard = std::nullopt);

  // Lists what was listed before up to the first picture that is `missing`; next() gives those that are, and then what
  // is behind `place`. False where a signal asks to stop meanwhile (apps/host/signals.h).
  // Throws Error{kUsage} with how the names differ from those before, and so does next() as far as `place`.
  bool skip_to(const ListingPlace& place, const std::vector<ListedPicture>& missing = {});
  // Whether that was thrown.
  bool differs() const { return differs_; }

  bool next(Picture& picture) override;
  std::optional<int64_t> count() const override;  // of what is left; not known of a shard

  // The row of the picture has come that next() gave as its number `given`, from 0. The place is behind it:
  // `pictures` - 1 is its index in the whole listing. May be called while another thread is in next().
  ListingPlace row(int64_t given);

  // The pictures to be scored that are listed before the place and have no row yet, as they are listed. At most as many
  // as have been asked for at once, and those that were missing. May be called while another thread is in next().
  std::vector<ListedPicture> missing(int64_t pictures) const;

  // All that was listed. REQUIRES: nobody is in next().
  const ListingPlace& listed() const { return listed_; }

 private:
  bool list(Picture& picture);
  bool is_missing() const;
  bool is_wanted(const Picture& picture);
  void check_place(const Picture& last);
  Error differing(Error error);
  Error too_few(int64_t pictures);

  PictureSource& inner_;
  std::optional<Shard> shard_;
  ListingPlace listed_;
  ListingPlace before_;  // of what was scored before
  int64_t skipped_ = 0;
  std::atomic<bool> differs_ = false;
  int64_t given_ = 0;
  mutable std::mutex mutex_;           // of what follows; next() may read without it, for it alone takes from missing_
  std::deque<ListedPicture> missing_;  // before `before_`, and not listed yet
  std::map<int64_t, ListingPlace> under_way_;  // by the number in which they were given
};

}  // namespace resflow
