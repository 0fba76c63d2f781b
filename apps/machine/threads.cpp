#include "apps/machine/threads.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// mountinfo writes blanks and other odd characters of a path as \ooo.
std::string unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct CgroupMount {
  bool v2 = false;
  std::string cgroup_root;  // what of the hierarchy is mounted
  fs::path point;
};

// The v2 hierarchy, and the v1 hierarchy of the cpu controller.
std::vector<CgroupMount> cgroup_mounts(const fs::path& root) {
  std::vector<CgroupMount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG... - TYPE SOURCE SUPER_OPTIONS
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto left = split(line.substr(0, dash), ' ');
    const auto right = split(line.substr(dash + 3), ' ');
    if (left.size() < 5 || right.size() < 3) continue;
    const bool v2 = right[0] == "cgroup2";
    const auto options = split(right[2], ',');
    const bool v1_cpu = right[0] == "cgroup" && std::find(options.begin(), options.end(), "cpu") != options.end();
    if (v2 || v1_cpu) mounts.push_back({v2, unescape(left[3]), unescape(left[4])});
  }
  return mounts;
}

// The path of this process in the hierarchy of `mount`, from its line of proc/self/cgroup.
std::optional<std::string> own_cgroup(const fs::path& root, bool v2) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // ID:CONTROLLERS:PATH; v2 has id 0 and no controllers
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    const bool matches = v2 ? line.compare(0, first, "0") == 0 && second == first + 1
                            : std::find(controllers.begin(), controllers.end(), "cpu") != controllers.end();
    if (matches) return line.substr(second + 1);
  }
  return std::nullopt;
}

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
  // The mask of the kernel may be wider than cpu_set_t: grow until it fits.
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
  for (const CgroupMount& mount : cgroup_mounts(root)) {
    const auto path = own_cgroup(root, mount.v2);
    if (!path) continue;
    // The mount may show a part of the hierarchy only (a container's); paths outside of it stay at its root.
    const bool below = mount.cgroup_root != "/" && path->starts_with(mount.cgroup_root);
    const std::string relative = below ? path->substr(mount.cgroup_root.size()) : *path;
    const fs::path top = root / mount.point.relative_path();
    fs::path folder = (top / fs::path(relative).relative_path()).lexically_normal();
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) folder = top;
    // A limit of any ancestor binds too.
    for (fs::path at = folder;; at = at.parent_path()) {
      quota = std::min(quota, folder_quota(at, mount.v2));
      if (at == top || at == at.parent_path()) break;
    }
  }
  return quota;
}

CpuLimits cpu_limits() { return {.affinity = affinity_cpus(), .quota = cgroup_cpu_quota()}; }

}  // namespace resflow
