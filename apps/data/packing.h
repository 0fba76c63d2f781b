// The pictures of a data set as they go into a pack: each file as it is, or shrunk and encoded as JPEG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/core/listener.h"
#include "io/images/decode.h"
#include "io/pack/writer.h"
#include "io/pictures/broken_picture.h"
#include "io/pictures/dataset.h"
#include "pipeline/outage.h"
#include "pipeline/pixels/resize.h"

namespace resflow {

struct PackedPicture {
  std::vector<uint8_t> file;
  std::string error;    // not empty: why it cannot be packed, without its path
  bool unread = false;  // then: its file could not be opened or read
  int64_t read = 0;     // bytes of the original
  bool shrunk = false;
  bool truncated = false;  // it ends early, and was taken all the same
};

struct PackingOptions {
  int short_side = 0;  // as of PicturePacker::pack
  int quality = 90;
  int threads = 1;
  Acceptance accept = {};    // which pictures are packed
  int64_t outage = kOutage;  // as UnreadFiles has it (pipeline/outage.h)
};

// Used by one thread; keeps its memory from picture to picture.
class PicturePacker {
 public:
  // A picture whose short side is above `short_side` is shrunk to that, as Pillow's bilinear resize does it
  // (torchvision's Resize), and becomes a JPEG of this quality that says the same EXIF orientation as its original. All
  // others stay the files that they are, once they are known to be whole, and so do those whose long side would be too
  // long for a JPEG. With short_side 0 nothing is shrunk. Throws DecodingStopped as `stop` says so.
  PackedPicture pack(const Sample& sample, const PackingOptions& options, const StopAsked& stop = {});

 private:
  bool shrink(int short_side);
  void pack_within(const Sample& sample, const PackingOptions& options, const StopAsked& stop, PackedPicture& packed);
  void give_back();

  Decoder decoder_;
  Resizer resizer_;
  Image decoded_, small_;
  std::vector<uint8_t> buffer_;
};

struct Packing {
  std::vector<BrokenPicture> broken;  // pictures that cannot be packed, in order, with their paths
  int64_t read = 0;                   // bytes of the originals
  int64_t shrunk = 0;                 // pictures
  int64_t truncated = 0;              // pictures that end early and were taken all the same
  bool stopped = false;               // as the listener asked
};

// Adds the pictures of `dataset` to `writer`, in order, under their names below `root`. Does not commit. Throws as
// PackWriter::add does, and Outage where pictures cannot be read for now.
Packing add_pictures(const Dataset& dataset, const std::string& root, const PackingOptions& options, PackWriter& writer,
                     Listener& listener);

}  // namespace resflow
