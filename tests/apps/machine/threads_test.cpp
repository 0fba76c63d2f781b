#include "apps/machine/threads.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/apps/program.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

// A machine's files below a folder.
struct Machine {
  TemporaryFolder folder;
  void file(const std::string& path, const std::string& text) const { write_text(folder / path, text); }
  double quota() const { return cgroup_cpu_quota(folder.path()); }
};

constexpr const char* kV2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kV1Mount = "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

TEST(CgroupQuota, IsReadFromVersion2) {
  const Machine m;
  m.file("proc/self/mountinfo", kV2Mount);
  m.file("proc/self/cgroup", "0::/user.slice/job\n");
  m.file("sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(m.quota(), 1.5);
}

TEST(CgroupQuota, OfAnAncestorBindsToo) {
  const Machine m;
  m.file("proc/self/mountinfo", kV2Mount);
  m.file("proc/self/cgroup", "0::/a/b/c\n");
  m.file("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  m.file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  m.file("sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(m.quota(), 2);
}

TEST(CgroupQuota, IsInfiniteWhereVersion2SaysMax) {
  const Machine m;
  m.file("proc/self/mountinfo", kV2Mount);
  m.file("proc/self/cgroup", "0::/\n");
  m.file("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_TRUE(std::isinf(m.quota()));
}

TEST(CgroupQuota, IsReadFromVersion1) {
  const Machine m;
  m.file("proc/self/mountinfo", kV1Mount);
  m.file("proc/self/cgroup", "5:memory:/other\n4:cpu,cpuacct:/docker/abc\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "300000\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(m.quota(), 3);
}

TEST(CgroupQuota, IsInfiniteWhereVersion1SaysMinusOne) {
  const Machine m;
  m.file("proc/self/mountinfo", kV1Mount);
  m.file("proc/self/cgroup", "4:cpu,cpuacct:/\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_TRUE(std::isinf(m.quota()));
}

// A container sees its own part of the hierarchy mounted, but the host's path of itself.
TEST(CgroupQuota, IsFoundWhereAContainerSeesItsOwnPartOnly) {
  const Machine m;
  m.file("proc/self/mountinfo", "31 23 0:27 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  m.file("proc/self/cgroup", "4:cpu:/docker/abc\n");
  m.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  m.file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(m.quota(), 0.5);
}

TEST(CgroupQuota, TheSmallerOfBothVersionsCounts) {
  const Machine m;
  m.file("proc/self/mountinfo",
         std::string(kV1Mount) + "32 23 0:28 / /sys/fs/cgroup/my\\040unified rw - cgroup2 cgroup2 rw\n");
  m.file("proc/self/cgroup", "4:cpu,cpuacct:/x\n0::/y\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "300000\n");
  m.file("sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  m.file("sys/fs/cgroup/my unified/y/cpu.max", "200000 100000\n");
  EXPECT_DOUBLE_EQ(m.quota(), 2);
}

TEST(CgroupQuota, IsInfiniteWhereNothingCanBeRead) {
  const Machine m;
  EXPECT_TRUE(std::isinf(m.quota()));
  m.file("proc/self/mountinfo", "not a mount\n- - -\n");
  m.file("proc/self/cgroup", "nonsense\n");
  EXPECT_TRUE(std::isinf(m.quota()));
}

TEST(CpuLimits, AStartedCpuCountsAndOneIsTheLeast) {
  EXPECT_EQ((CpuLimits{.affinity = 8}).usable(), 8);
  EXPECT_EQ((CpuLimits{.affinity = 8, .quota = 1.5}).usable(), 2);
  EXPECT_EQ((CpuLimits{.affinity = 8, .quota = 2}).usable(), 2);
  EXPECT_EQ((CpuLimits{.affinity = 2, .quota = 16}).usable(), 2);
  EXPECT_EQ((CpuLimits{.affinity = 8, .quota = 0.1}).usable(), 1);
}

TEST(CpuLimits, OfThisMachineAllowAtLeastOne) {
  EXPECT_GE(cpu_limits().affinity, 1);
  EXPECT_GE(cpu_limits().usable(), 1);
}

}  // namespace
}  // namespace resflow
