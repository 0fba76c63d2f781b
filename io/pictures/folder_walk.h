// The image files below a folder, one after the other: the walk of torchvision's ImageFolder.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/pictures/selection.h"

namespace resflow {

// The walk is recursive and follows links, but no link back to a folder that it lies in, since that leads to no other
// picture. It gives the files that a Selection takes, and enters no folder that it leaves out: folders in the byte-wise
// order of their paths, as sorted(os.walk(path)) has them, and files by name within each. A folder with more than
// `max_sorted` entries is taken as the file system has it, its sub-folders where they turn up. In memory are the names
// of one folder, and of the folders that are still to come beside it and above.
class FolderWalk {
 public:
  // Through `folder` and all below it. Where `within` is given, it is the folder that `folder` lies in, and no link
  // back to it is followed either. Throws Error{kData} where `within` cannot be read.
  FolderWalk(std::string folder, size_t max_sorted, const std::string& within = {}, Selection selection = {});
  ~FolderWalk();

  // The next file's path; or a folder's path, and in `failure` why that folder cannot be read, or not to its end.
  // False at the end. Throws Error{kSystem} where the machine fails, as FolderListing does (io/files/folder_listing.h).
  bool next(std::string& path, std::string& failure);

  // What was passed over so far.
  const PassedOver& left_out() const { return left_out_; }

 private:
  struct Ancestor;
  struct Pending;
  class Level;

  bool takes(const std::string& path, bool folder);

  size_t max_sorted_;
  Selection selection_;
  PassedOver left_out_;
  std::vector<std::unique_ptr<Level>> levels_;  // below each but the last one, the next is under way
};

}  // namespace resflow
