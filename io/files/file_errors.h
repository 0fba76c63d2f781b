// What the writers of files have in common: which failures say what, and the folder that a name lies in.
#pragma once

#include <cerrno>
#include <string>

#include "io/files/file.h"

namespace resflow {

inline bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }
inline bool is_no_permission(int error) { return error == EACCES || error == EPERM || error == EROFS; }

std::string folder_of(const std::string& path);  // "." where the path names none

// A name that was made, renamed or removed in the folder is so after a crash, too. Throws Error{kSystem} about `path`.
void sync_folder(const std::string& folder, const std::string& path, FileSystem& files);

}  // namespace resflow
