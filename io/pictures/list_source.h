// Pictures whose paths a file or standard input lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/pictures/picture_source.h"
#include "io/pictures/streamed_file.h"

namespace resflow {

struct ListOptions {
  bool ids = false;   // an entry is PATH, a tab and what the picture is called; without a tab it is called by its path
  bool null = false;  // entries end with a zero byte, as find -print0 has them; else with a line feed
  std::function<bool()> stop = {};  // asked before each reading and while there is nothing to read: true ends the list
                                    // as if it were empty
};

// An entry is a path, absolute or relative to the working directory; empty entries are passed over. A carriage return
// at the end of a line is no part of the path, nor is a byte order mark before the first line. Each entry is one
// picture, whatever it names: an archive or a folder is a picture that cannot be decoded.
//
// next() waits while a pipe has nothing to read, and so does its caller. Where pictures trickle in, the row of one may
// therefore appear only when the next picture arrives.
//
// A pipe with a name may be opened before anybody writes to it.
//
// Throws Error{kData}: the list cannot be read, or names nothing; an entry is longer than any path; zero bytes where
// lines were expected.
class ListSource : public PictureSource {
 public:
  ListSource(const std::string& path, ListOptions options);  // "-" is standard input

  bool next(Picture& picture) override;

 private:
  bool next_entry(std::string& entry);
  bool fill();
  void take_mark_off();

  std::string name_;  // for errors
  ListOptions options_;
  StreamedFile file_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is unread in it
  std::string entry_;
  int64_t number_ = 0;  // of the entry, from 1
  bool found_ = false, ended_ = false;
};

}  // namespace resflow
