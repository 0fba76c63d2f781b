// All pictures below a folder, in the order of list_pictures (io/pictures/dataset.h), without listing them first.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/files/folder_listing.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// The walk is recursive and follows links, but no link back to a folder that it lies in. It gives the image files (by
// their extension, case ignored): folders in the byte-wise order of their paths, files by name within each, and those
// of a folder with more than `max_sorted` entries as the file system has them, its sub-folders where they turn up.
// In memory are the names of one folder, and of the folders that are still to come beside it and above.
//
// A sub-folder that cannot be read is a picture with an error, in its place. Of the folder itself that is an
// Error{kData}, and so is that it holds no picture at all.
class FolderSource : public PictureSource {
 public:
  explicit FolderSource(std::string path, size_t max_sorted = kMaxSorted);
  ~FolderSource() override;

  bool next(Picture& picture) override;

 private:
  struct Ancestor;
  struct Pending;
  class Walk;

  std::string path_;
  size_t max_sorted_;
  std::vector<std::unique_ptr<Walk>> walks_;  // below each but the last one, the next is under way
  bool begun_ = false, found_ = false;
};

}  // namespace resflow
