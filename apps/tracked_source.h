// The pictures that are to be scored now: those of the shard, behind those that were scored before; and which place of
// the whole listing each came from.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "apps/score_journal.h"
#include "apps/shard.h"
#include "io/picture_source.h"

namespace resflow {

class TrackedSource : public PictureSource {
 public:
  // `inner` outlives it.
  explicit TrackedSource(PictureSource& inner, std::optional<Shard> shard = std::nullopt);

  // Lists what was listed before. False where a signal asks to stop meanwhile (apps/signals.h).
  // Throws Error{kUsage} with how the names differ from those before.
  bool skip_to(const ListingPlace& place);

  bool next(Picture& picture) override;
  std::optional<int64_t> count() const override;  // of what is left; not known of a shard

  // Behind the next picture whose row has come; rows come in the order of next(). `pictures` - 1 is its index in the
  // whole listing. May be called while another thread is in next().
  ListingPlace next_row();

  // All that was listed. REQUIRES: nobody is in next().
  const ListingPlace& listed() const { return listed_; }

 private:
  bool list(Picture& picture);

  PictureSource& inner_;
  std::optional<Shard> shard_;
  ListingPlace listed_;
  int64_t skipped_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<ListingPlace> under_way_;
};

}  // namespace resflow
