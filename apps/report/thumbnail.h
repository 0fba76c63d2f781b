// Photographs as small pictures within a page.
#pragma once

#include <string>

#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "pipeline/pixels/resize.h"

namespace resflow {

struct Thumbnail {
  int width = 0, height = 0;
  std::string uri;     // data:image/jpeg;base64,...; empty where the file cannot be read
  std::string reason;  // why it cannot be read
};

// Makes thumbnails one after another, and uses its memory again for each.
class Thumbnails {
 public:
  explicit Thumbnails(const Acceptance& accept = {}) : accept_(accept) { decoder_.set_acceptance(accept); }

  // The whole picture, scaled down to a long side of `side` pixels if it is longer.
  Thumbnail make(const Sample& sample, int side);

 private:
  Thumbnail shrunk(const Sample& sample, int side);
  void give_back();

  Acceptance accept_;
  Decoder decoder_;
  Resizer resizer_;
  Image whole_, small_;
  std::vector<uint8_t> buffer_;
};

}  // namespace resflow
