// A picture that cannot be used, and why.
#pragma once

#include <cstdint>
#include <string>

#include "io/pictures/picture_source.h"

namespace resflow {

struct BrokenPicture {
  int64_t sample = 0;       // its index in the data set, or among the pictures that its source gave
  std::string reason = {};  // without its name
  std::string name = {};    // its path, or what its source calls it; empty where the data set says it
  PicturePlace place = {};  // as its source has it
  bool unread = false;      // its file could not be opened or read; else what it holds is damaged
};

}  // namespace resflow
