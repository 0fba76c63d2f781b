// The files that match a pattern, as the shell would expand it. They come one after another, because there may be more
// than fit into a command.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/files/folder_listing.h"

namespace resflow {

// True where the text holds a * ? or [ without a backslash before it.
bool has_wildcard(const std::string& text);

// What matches a pattern: * ? and [...] stand for what fnmatch(3) says, within a folder's name or a file's; a leading
// dot is matched by a dot alone; a pattern that ends with a slash matches folders. At each level the names come in
// byte-wise order (of a folder with more than kMaxSorted entries as the file system has them).
class Glob {
 public:
  explicit Glob(const std::string& pattern);

  struct Match {
    std::string path;
    std::string
        error;  // not empty: `path` is a folder that the pattern leads through, and this is why it cannot be read
  };

  // False at the end.
  bool next(Match& match);

 private:
  struct Level {
    std::string prefix;  // of the paths of its entries
    size_t part;         // of the pattern, that they are to match
    FolderListing listing;
  };
  Match found(std::string path) const;
  bool descend(std::string prefix, size_t part, Match& match);

  std::vector<std::string> parts_;  // of the pattern, between slashes
  bool absolute_ = false, folders_only_ = false, begun_ = false;
  std::vector<Level> levels_;
};

}  // namespace resflow
