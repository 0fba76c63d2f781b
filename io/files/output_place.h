// Where a file of a given name is written: at the end of the links that lead to it, and through what is no file.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "io/files/file.h"

namespace resflow {

struct OutputPlace {
  std::string path;      // of the file itself, which is no link
  std::string folder;    // that it lies in
  bool through = false;  // a device, a pipe or a descriptor: it is written as it is, and never replaced
  int descriptor = -1;   // of this process, where the path names one, as /dev/stdout does
  std::optional<struct stat> former = std::nullopt;  // of the file that is there
};

inline constexpr const char* kPartialEnding = ".partial";

// Touches nothing. Throws Error{kUsage} where the path is empty or a folder, where its links lead in a circle, and
// where the name is too long for the file system with the ending that a file has while it is written.
OutputPlace output_place(const std::string& path, FileSystem& files = machine_files());

// The name alone; of /dev/stdout and the like it is what was given. Throws as output_place does.
std::string written_path(const std::string& path, FileSystem& files = machine_files());

}  // namespace resflow
