// Of the pictures of a scoring that is done, those whose rows have an error.
#pragma once

#include "apps/score/former_rows.h"
#include "io/core/listener.h"
#include "io/pictures/picture_source.h"

namespace resflow {

class RetrySource : public PictureSource {
 public:
  // `inner` gives the pictures that `former` has rows of, one after the other and in the same order. It may end early
  // where the listener asks to stop. All of them outlive the RetrySource.
  RetrySource(PictureSource& inner, FormerRows& former, Listener& listener)
      : inner_(inner), former_(former), listener_(listener) {}

  // Throws Error{kUsage} where pictures and rows are not the same ones, and what `inner` and `former` throw.
  bool next(Picture& picture) override;

 private:
  PictureSource& inner_;
  FormerRows& former_;
  Listener& listener_;
};

}  // namespace resflow
