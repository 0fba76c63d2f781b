// A listing that is made up.
#pragma once

#include <cstdint>
#include <string>

#include "io/pictures/picture_source.h"

namespace resflow::testing {

// Of the picture with this index.
inline std::string name_of(int64_t index) { return (index % 4 == 1 ? "new\nline" : "plain") + std::to_string(index); }
inline bool is_broken(int64_t index) { return index % 5 == 3; }

class NamedPictures : public PictureSource {
 public:
  explicit NamedPictures(int64_t count, int64_t renamed = -1) : count_(count), renamed_(renamed) {}
  bool next(Picture& picture) override {
    if (next_ == count_) return false;
    picture.name = name_of(next_) + (next_ == renamed_ ? " anew" : "");
    ++next_;
    return true;
  }

 private:
  int64_t count_, renamed_, next_ = 0;
};

}  // namespace resflow::testing
