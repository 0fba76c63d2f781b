#include "io/files/folder_below.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "io/files/file_errors.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::error_code last_error() { return {errno, std::generic_category()}; }

}  // namespace

FolderBelow::FolderBelow(const fs::path& root, const fs::path& below) {
  folder_ = ::open(root.c_str(), kFolder);
  if (folder_ < 0) error_ = last_error();
  for (const fs::path& step : below) {
    if (folder_ < 0) return;
    const int next = step == ".." ? -1 : ::openat(folder_, step.c_str(), kFolder);
    error_ =
        next < 0 ? step == ".." ? std::make_error_code(std::errc::invalid_argument) : last_error() : std::error_code();
    ::close(folder_);
    folder_ = next;
  }
}

FolderBelow::~FolderBelow() {
  if (folder_ >= 0) ::close(folder_);
}

bool FolderBelow::remove(const std::string& name) const {
  return folder_ >= 0 && (::unlinkat(folder_, name.c_str(), 0) == 0 || errno == ENOENT);
}

bool FolderBelow::remove_folder(const std::string& name) const {
  return folder_ >= 0 && (::unlinkat(folder_, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT);
}

fs::file_type FolderBelow::type_of(const std::string& name) const {
  struct stat status {};
  if (folder_ < 0 || ::fstatat(folder_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return fs::file_type::not_found;
  if (S_ISREG(status.st_mode)) return fs::file_type::regular;
  if (S_ISLNK(status.st_mode)) return fs::file_type::symlink;
  return S_ISDIR(status.st_mode) ? fs::file_type::directory : fs::file_type::unknown;
}

std::error_code rename_to_new(const FolderBelow& from, const std::string& name, const FolderBelow& to,
                              const std::string& new_name) {
  if (::renameat2(from.descriptor(), name.c_str(), to.descriptor(), new_name.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (!is_not_supported(errno)) return last_error();
  if (to.type_of(new_name) != fs::file_type::not_found) return std::make_error_code(std::errc::file_exists);
  return ::renameat(from.descriptor(), name.c_str(), to.descriptor(), new_name.c_str()) == 0 ? std::error_code()
                                                                                             : last_error();
}

}  // namespace resflow
