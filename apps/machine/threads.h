// How many CPUs this process may really use.
//
// oneTBB sees the machine's cores (and the affinity mask), but not a container's CPU quota; running more
// threads than the quota gets them stopped by the scheduler again and again.
#pragma once

#include <filesystem>
#include <limits>

namespace resflow {

struct CpuLimits {
  int affinity = 1;                                        // CPUs in the affinity mask
  double quota = std::numeric_limits<double>::infinity();  // CPUs' worth of time that the cgroup allows

  // The smaller of the two, a started CPU counting as one; at least 1.
  int usable() const;
};

// The cgroup v1 or v2 quota of this process, its ancestors' included, read below `root` (proc/self/cgroup,
// proc/self/mountinfo and the folders that they name). Infinity where there is none or it cannot be read.
double cgroup_cpu_quota(const std::filesystem::path& root = "/");

CpuLimits cpu_limits();

}  // namespace resflow
