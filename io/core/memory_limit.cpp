#include "io/core/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace resflow {
namespace {

namespace fs = std::filesystem;

// The smallest limit of the group at `path` below `top` and of its ancestors. A container shows its own group as the
// top one, under whatever path it has outside.
int64_t limit_of_group(const fs::path& top, const std::string& path, const char* file, int64_t limit) {
  fs::path folder = (top / fs::path(path).relative_path()).lexically_normal();
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) folder = top;
  for (;; folder = folder.parent_path()) {
    std::ifstream value(folder / file);
    if (int64_t bytes = 0; value >> bytes && bytes > 0)
      limit = std::min(limit, bytes);  // else it says "max", or nothing
    if (folder == top || folder == folder.parent_path()) return limit;
  }
}

}  // namespace

int64_t memory_limit(const fs::path& root) {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  int64_t limit = pages > 0 && page > 0 ? int64_t{pages} * page : INT64_MAX;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // ID:CONTROLLERS:PATH; the second version of control groups has id 0 and no controllers.
    const size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    const fs::path mounts = root / "sys/fs/cgroup";
    if (controllers == ",,") limit = limit_of_group(mounts, path, "memory.max", limit);
    if (controllers.find(",memory,") != std::string::npos)
      limit = limit_of_group(mounts / "memory", path, "memory.limit_in_bytes", limit);
  }
  return limit;
}

int64_t addresses_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return INT64_MAX;
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  if (!(file >> pages)) return INT64_MAX;
  return std::max<int64_t>(static_cast<int64_t>(limit.rlim_cur) - pages * ::sysconf(_SC_PAGESIZE), 0);
}

}  // namespace resflow
