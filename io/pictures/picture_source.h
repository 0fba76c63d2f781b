// Pictures to be scored, one after another, wherever they lie: files, an archive that is read as a stream, a pack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/pictures/selection.h"

namespace resflow {

// Where a picture stands among all that is listed. It travels with the picture, so that nobody has to be asked for it.
struct PicturePlace {
  int64_t index = 0;   // from 0
  uint64_t names = 0;  // a hash over the names up to and including its own (xxh3_next of io/files/xxh3.h)
  uint64_t files = 0;  // the same of the sizes and times of their files, of those that are to be read

  bool operator==(const PicturePlace&) const = default;
};

// One of them. Reading happens where the picture is decoded, unless its bytes came with the listing (archives, packs).
struct Picture {
  std::string name;            // what its row is called: the path, a list's id, or ARCHIVE/MEMBER
  std::string path;            // the file to read; empty where `bytes` holds it
  std::vector<uint8_t> bytes;  // reused from picture to picture
  std::string error;           // not empty: why there is nothing to decode, without the name; its row says so
  // With an error: the file system would not show it, whatever it holds. Whoever asks for the next picture clears it.
  bool unread = false;
  PicturePlace place = {};  // set by a source that keeps count of the whole listing, and else left as it is
};

// Lists lazily, in an order that is the same each time as long as nothing changes on the disk, in memory that does not
// grow with the number of pictures. Used by one thread at a time.
class PictureSource {
 public:
  virtual ~PictureSource() = default;

  // Sets `picture` to the next one; false at the end. Throws Error{kData} for what ends the listing: an input that is
  // absent, a folder without permission, an archive that is damaged. Pictures listed before it are valid.
  virtual bool next(Picture& picture) = 0;

  // How many there are in all, where that is known without listing them.
  virtual std::optional<int64_t> count() const { return std::nullopt; }

  // What of the folders, packs and archives so far was no picture by its name, or left out by a pattern.
  virtual PassedOver left_out() const { return {}; }
};

}  // namespace resflow
