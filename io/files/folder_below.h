// A folder below another one, reached without following a link.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace resflow {

// Its files are named relative to it (unlinkat, renameat), so that nobody can lead the call elsewhere by a link that is
// put in the way meanwhile.
class FolderBelow {
 public:
  // `below` is relative, without "..", and may be empty. The last step of `root` must not be a link either.
  FolderBelow(const std::filesystem::path& root, const std::filesystem::path& below);
  ~FolderBelow();
  FolderBelow(const FolderBelow&) = delete;
  FolderBelow& operator=(const FolderBelow&) = delete;

  // -1 where there is no such folder or a link lies on the way, and then error() says which: ENOENT, or ELOOP or
  // ENOTDIR.
  int descriptor() const { return folder_; }
  const std::error_code& error() const { return error_; }

  // Removes the file, the link or the empty folder of this name. Throws nothing; false where it is still there.
  bool remove(const std::string& name) const;
  bool remove_folder(const std::string& name) const;
  // What is there: of a link the link itself.
  std::filesystem::file_type type_of(const std::string& name) const;

 private:
  int folder_ = -1;
  std::error_code error_;
};

// Renames a file from one folder to another where nothing has that name. Both descriptors are open.
std::error_code rename_to_new(const FolderBelow& from, const std::string& name, const FolderBelow& to,
                              const std::string& new_name);

}  // namespace resflow
