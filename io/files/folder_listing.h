// The entries of one folder, for walks that must not hold a large one in memory.
#pragma once

#include <dirent.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace resflow {

struct FolderEntry {
  std::string name;
  bool folder = false;  // or a link to one; anything else is a file
};

// Up to so many entries are given in the byte-wise order of their names. A folder with more is given as the file system
// has it, which is the same each time as long as nothing changes, so that its first entries come at once.
inline constexpr size_t kMaxSorted = 65'536;

class FolderListing {
 public:
  // Throws Error{kSystem} where the machine fails (io/files/machine_failure.h), as next() does. What else goes wrong:
  // see failure().
  explicit FolderListing(const std::string& path, size_t max_sorted = kMaxSorted);

  // False at the end.
  bool next(FolderEntry& entry);

  bool sorted() const { return folder_ == nullptr; }

  // After next() has returned false: why the folder could not be read, or not to its end; empty where it was.
  const std::string& failure() const { return failure_; }

 private:
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  bool read(FolderEntry& entry);

  std::string path_;
  std::unique_ptr<DIR, Close> folder_;  // while it is being read
  std::vector<FolderEntry> first_;      // of a sorted folder all
  size_t next_ = 0;                     // in first_
  std::string failure_;
};

// As Python's os.path.join.
std::string join_path(const std::string& folder, const std::string& name);

}  // namespace resflow
