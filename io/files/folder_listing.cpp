#include "io/files/folder_listing.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "io/core/error.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

// `parent` is the folder at `path`.
bool is_folder(int parent, const std::string& path, const dirent& entry) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return false;
  struct stat status {};
  if (persistently(machine_files(), [&] { return ::fstatat(parent, entry.d_name, &status, 0); }) == 0)
    return S_ISDIR(status.st_mode);
  if (is_machine_failure(errno))
    throw system_error("{}: cannot be looked at: {}", join_path(path, entry.d_name), reason_of(errno));
  return false;  // a broken link is a file, whose reader will say what is wrong
}

}  // namespace

FolderListing::FolderListing(const std::string& path, size_t max_sorted) : path_(path) {
  persistently(machine_files(), [&] {
    folder_.reset(::opendir(path.c_str()));
    return folder_ ? 0 : -1;
  });
  if (!folder_) {
    const int error = errno;
    if (is_machine_failure(error)) throw system_error("{}: the folder cannot be opened: {}", path, reason_of(error));
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
      if (is_machine_failure(errno))
        throw system_error("{}: the folder cannot be read to its end: {}", path_, reason_of(errno));
      if (errno != 0) failure_ = "the folder cannot be read to its end: " + reason_of(errno);
      return false;
    }
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    entry.name = name;
    entry.folder = is_folder(::dirfd(folder_.get()), path_, *found);
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
