// Covers: io/core/cgroup
#include "io/core/memory_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

constexpr const char* kV2Mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kV1Mount = "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

// A machine's files below a folder.
struct MemoryMachine {
  TemporaryFolder folder;
  void file(const std::string& path, const std::string& text) const { write_text(folder / path, text); }
  int64_t limit() const { return cgroup_memory_limit(folder.path()); }
};

TEST(CgroupMemory, TheTightestOfAllAncestorsBinds) {
  const MemoryMachine m;
  m.file("proc/self/mountinfo", kV2Mount);
  m.file("proc/self/cgroup", "0::/a/b/c\n");
  m.file("sys/fs/cgroup/a/memory.max", "200000000\n");
  m.file("sys/fs/cgroup/a/b/memory.max", "max\n");
  m.file("sys/fs/cgroup/a/b/c/memory.max", "400000000\n");
  EXPECT_EQ(m.limit(), 200'000'000);
}

TEST(CgroupMemory, IsReadFromVersion1AndNearlyTwoTo63MeansNone) {
  const MemoryMachine m;
  m.file("proc/self/mountinfo", kV1Mount);
  m.file("proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/other\n");
  m.file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  m.file("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(m.limit(), kNoMemoryLimit);
  m.file("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "1073741824\n");
  EXPECT_EQ(m.limit(), int64_t{1} << 30);
}

TEST(CgroupMemory, IsNoneWhereNothingIsSaid) {
  const MemoryMachine m;
  EXPECT_EQ(m.limit(), kNoMemoryLimit);
  m.file("proc/self/mountinfo", kV2Mount);
  m.file("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(m.limit(), kNoMemoryLimit);
  m.file("sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(m.limit(), kNoMemoryLimit);
}

TEST(CgroupMemory, OfAContainerIsThatOfItsTop) {
  const MemoryMachine m;
  m.file("proc/self/mountinfo", "30 23 0:26 /outside/of/it /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
  m.file("proc/self/cgroup", "0::/outside/of/it\n");
  m.file("sys/fs/cgroup/memory.max", "30000000\n");
  EXPECT_EQ(m.limit(), 30'000'000);
}

TEST(UsableMemory, IsTheLessOfTheMachinesAndTheGroups) {
  EXPECT_GT(machine_memory(), int64_t{1} << 24);
  EXPECT_EQ(usable_memory(), std::min(machine_memory(), cgroup_memory_limit()));
  EXPECT_GT(addresses_left(), 0);
  EXPECT_GT(memory_in_use().resident, int64_t{1} << 20);
  EXPECT_GE(memory_in_use().mapped, memory_in_use().resident);
}

}  // namespace
}  // namespace resflow
