// How far the listing of the inputs has come: what a run remembers of it, to go on behind it later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace resflow {

// A place in the sequence of pictures that the inputs are: behind so many of them.
struct ListingPlace {
  int64_t pictures = 0;
  uint64_t names = 0;     // xxh3_next over their names (io/files/xxh3.h)
  std::string last = {};  // the name of the last one before the place
  // Stands for the sizes and times of their files; nothing where nobody noted them.
  std::optional<uint64_t> files = 0;
};

// A picture of the listing.
struct ListedPicture {
  int64_t index = 0;  // from 0
  uint64_t name = 0;  // xxh3 of its name

  bool operator==(const ListedPicture&) const = default;
};

}  // namespace resflow
