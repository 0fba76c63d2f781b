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

int64_t address_space_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoMemoryLimit;
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(kNoMemoryLimit)));
}

MemoryInUse memory_in_use() {
  MemoryInUse pages;
  std::ifstream file("/proc/self/statm");
  if (!(file >> pages.mapped >> pages.resident)) return {};
  const int64_t page = ::sysconf(_SC_PAGESIZE);
  return {.mapped = pages.mapped * page, .resident = pages.resident * page};
}

int64_t addresses_left() {
  const int64_t limit = address_space_limit();
  return limit == kNoMemoryLimit ? limit : std::max<int64_t>(limit - memory_in_use().mapped, 0);
}

}  // namespace resflow
