// The pictures that are to be scored now: those of the shard that were not scored before. Each is given with its place
// in the whole listing (PicturePlace), which travels with it to its row.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "apps/score/listing_place.h"
#include "apps/score/shard.h"
#include "apps/score/unscored.h"
#include "io/core/error.h"
#include "io/core/listener.h"
#include "io/pictures/picture_source.h"

namespace resflow {

struct TrackedSourceOptions {
  size_t most_letters = 0;  // a picture with a longer name gets an error for its row; 0: no name is too long
  // Is told where pictures that were scored before were changed since; may throw.
  std::function<void(int64_t pictures)> changed = {};
};

class TrackedSource : public PictureSource {
 public:
  // `inner` and `listener`, which is asked whether to stop, outlive it. So does `unscored`, if it is given: skip_to()
  // adds to it those that are missing, and next() each other picture before it gives it.
  TrackedSource(PictureSource& inner, Listener& listener, std::optional<Shard> shard = std::nullopt,
                Unscored* unscored = nullptr, TrackedSourceOptions options = {});

  // Lists what was listed before, up to the first picture that is `missing`. next() then gives those that are missing,
  // and after them what is behind `place`. False where the listener asks to stop meanwhile.
  // Throws Error{kUsage} that says how the names differ from those before. next() throws it as well, as long as it has
  // not come to `place`.
  bool skip_to(const ListingPlace& place, const std::vector<ListedPicture>& missing = {});
  // Whether that was thrown.
  bool differs() const { return differs_; }

  bool next(Picture& picture) override;
  // Of what is left. It is not known of a shard.
  std::optional<int64_t> count() const override;

  // All that was listed, without the last one's name. REQUIRES: nobody is in next().
  const ListingPlace& listed() const { return listed_; }

 private:
  bool list(Picture& picture);
  bool is_missing() const;
  bool is_of_shard(const Picture& picture) const;
  bool is_wanted(const Picture& picture);
  void check_place(const Picture& last) const;
  Error differing(Error error) const;
  Error too_few(int64_t pictures) const;

  PictureSource& inner_;
  Listener& listener_;
  std::optional<Shard> shard_;
  Unscored* unscored_;
  TrackedSourceOptions options_;
  ListingPlace listed_;                // its `last` stays empty
  ListingPlace before_;                // of what was scored before
  std::deque<ListedPicture> missing_;  // before `before_`, and not listed yet
  int64_t skipped_ = 0;
  mutable std::atomic<bool> differs_ = false;
};

}  // namespace resflow
