// All pictures below a folder, in the order of list_pictures (io/pictures/dataset.h), without listing them first.
#pragma once

#include <cstddef>
#include <string>

#include "io/files/folder_listing.h"
#include "io/pictures/folder_walk.h"
#include "io/pictures/picture_source.h"

namespace resflow {

// The files of a FolderWalk. A sub-folder that cannot be read is a picture with an error, in its place. Of the folder
// itself that is an Error{kData}, and so is that it holds no picture at all.
class FolderSource : public PictureSource {
 public:
  explicit FolderSource(std::string path, size_t max_sorted = kMaxSorted, const Selection& selection = {});

  bool next(Picture& picture) override;
  PassedOver left_out() const override { return walk_.left_out(); }

 private:
  std::string path_;
  FolderWalk walk_;
  bool found_ = false;
};

}  // namespace resflow
