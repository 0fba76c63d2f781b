// What there is at a path. Where the machine does not answer, that is not taken for a file that is absent.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "io/files/file.h"

namespace resflow {

enum class LastLink { kFollowed, kItself };  // of a path that is a link: what it leads to, or the link

// Nothing where there is no such file, or none that may be looked at; errno says why then. Throws Error{kSystem} where
// the machine fails, and goes on failing when it is asked again (io/files/machine_failure.h).
std::optional<struct stat> facts_of(const std::string& path, LastLink link = LastLink::kFollowed,
                                    FileSystem& files = machine_files());

// Whether there is something of this name. Throws as facts_of does, and Error{kUsage} where that may not be known.
bool is_there(const std::string& path, LastLink link = LastLink::kFollowed, FileSystem& files = machine_files());

// False also where it may not be looked at. Throws as facts_of does.
bool is_folder(const std::string& path, LastLink link = LastLink::kFollowed, FileSystem& files = machine_files());

// Whether this process may do so (access: R_OK, W_OK, X_OK); else errno says why. Throws as facts_of does.
bool is_allowed(const std::string& path, int how, FileSystem& files = machine_files());

// Makes the folder and those that it lies in, where they are not there; `named` is how the sentence begins: "--out
// run". Throws Error{kUsage} where they cannot be made, Error{kSystem} where the machine fails.
void make_folders(const std::string& path, const std::string& named);

}  // namespace resflow
