// Where the kernel says what a container may use.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace resflow {

// A folder with limits of a controller, of the hierarchy of version 2 or of the controller's own of version 1.
struct CgroupFolder {
  std::filesystem::path path;
  bool v2 = false;
};

// Those of this process and of its ancestors, whose limits all hold for it; `controller` is "cpu" or "memory". Read
// below `root`: proc/self/cgroup and proc/self/mountinfo name them. None where they cannot be read.
std::vector<CgroupFolder> cgroup_folders(const std::string& controller, const std::filesystem::path& root = "/");

}  // namespace resflow
