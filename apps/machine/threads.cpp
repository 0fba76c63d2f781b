#include "apps/machine/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>
#include <thread>

#include "io/core/cgroup.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

double folder_quota(const fs::path& folder, bool v2) {
  double quota = 0, period = 0;
  if (v2) {
    std::ifstream file(folder / "cpu.max");  // "200000 100000" or "max 100000"
    if (!(file >> quota >> period)) return kNoQuota;
  } else {
    std::ifstream quota_file(folder / "cpu.cfs_quota_us"), period_file(folder / "cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return kNoQuota;
  }
  return quota > 0 && period > 0 ? quota / period : kNoQuota;  // v1 says -1 for none
}

int affinity_cpus() {
  // The mask of the kernel may be wider than cpu_set_t, so the set grows until the mask fits.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(static_cast<size_t>(cpus)),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    if (set && sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

int CpuLimits::usable() const {
  const int by_quota = quota < affinity ? static_cast<int>(std::ceil(quota)) : affinity;
  return std::max(1, by_quota);
}

double cgroup_cpu_quota(const fs::path& root) {
  double quota = kNoQuota;
  for (const CgroupFolder& folder : cgroup_folders("cpu", root))
    quota = std::min(quota, folder_quota(folder.path, folder.v2));
  return quota;
}

CpuLimits cpu_limits() { return {.affinity = affinity_cpus(), .quota = cgroup_cpu_quota()}; }

}  // namespace resflow
