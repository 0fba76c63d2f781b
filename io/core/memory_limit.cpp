#include "io/core/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "io/core/cgroup.h"

namespace resflow {

int64_t cgroup_memory_limit(const std::filesystem::path& root) {
  int64_t least = kNoMemoryLimit;
  for (const CgroupFolder& folder : cgroup_folders("memory", root)) {
    std::ifstream file(folder.path / (folder.v2 ? "memory.max" : "memory.limit_in_bytes"));
    // Version 2 says "max" where there is none, version 1 nearly 2^63.
    if (int64_t bytes = 0; file >> bytes && bytes > 0) least = std::min(least, bytes);
  }
  constexpr int64_t kNone = int64_t{1} << 60;
  return least < kNone ? least : kNoMemoryLimit;
}

int64_t machine_memory() {
  const int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? pages * ::sysconf(_SC_PAGESIZE) : kNoMemoryLimit;
}

int64_t usable_memory() { return std::min(machine_memory(), cgroup_memory_limit()); }

int64_t addresses_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoMemoryLimit;
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  if (!(file >> pages)) return kNoMemoryLimit;
  return std::max<int64_t>(static_cast<int64_t>(limit.rlim_cur) - pages * ::sysconf(_SC_PAGESIZE), 0);
}

}  // namespace resflow
