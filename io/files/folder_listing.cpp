#include "io/files/folder_listing.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "io/core/error.h"

namespace resflow {
namespace {

bool is_folder(int parent, const dirent& entry) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return false;
  struct stat status {};
  // A broken link is a file, whose reader will say what is wrong.
  return ::fstatat(parent, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

FolderListing::FolderListing(const std::string& path, size_t max_sorted)
    : path_(path), folder_(::opendir(path.c_str())) {
  if (!folder_) {
    const int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
      throw system_error("{}: the folder cannot be opened: {}", path, reason_of(error));
    failure_ = "the folder cannot be read: " + reason_of(error);
    return;
  }
  FolderEntry entry;
  while (first_.size() <= max_sorted && read(entry)) first_.push_back(entry);
  if (first_.size() > max_sorted) return;
  folder_ = nullptr;
  std::sort(first_.begin(), first_.end(), [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
}

bool FolderListing::read(FolderEntry& entry) {
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(folder_.get());
    if (found == nullptr) {
      if (errno != 0) failure_ = "the folder cannot be read to its end: " + reason_of(errno);
      return false;
    }
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    entry.name = name;
    entry.folder = is_folder(::dirfd(folder_.get()), *found);
    return true;
  }
}

bool FolderListing::next(FolderEntry& entry) {
  if (next_ < first_.size()) {
    entry = std::move(first_[next_++]);
    return true;
  }
  if (!first_.empty() && !sorted()) first_ = {};
  if (sorted()) return false;
  next_ = 0;
  return read(entry);
}

std::string join_path(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

}  // namespace resflow
