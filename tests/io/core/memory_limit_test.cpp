#include "io/core/memory_limit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

TEST(MemoryLimit, IsTheSmallestOfTheGroupAndItsAncestors) {
  const TemporaryFolder root;
  const int64_t machine = memory_limit(root.path());
  EXPECT_GT(machine, int64_t{1} << 24);
  write_text(root / "proc/self/cgroup", "0::/batch/job\n");
  write_text(root / "sys/fs/cgroup/batch/job/memory.max", "max\n");
  EXPECT_EQ(memory_limit(root.path()), machine);
  write_text(root / "sys/fs/cgroup/batch/memory.max", "20000000\n");
  EXPECT_EQ(memory_limit(root.path()), 20'000'000);
  write_text(root / "sys/fs/cgroup/batch/job/memory.max", "10000000\n");
  EXPECT_EQ(memory_limit(root.path()), 10'000'000);
}

TEST(MemoryLimit, OfAContainerIsThatOfItsTop) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "0::/outside/of/the/container\n");
  write_text(root / "sys/fs/cgroup/memory.max", "30000000\n");
  EXPECT_EQ(memory_limit(root.path()), 30'000'000);
}

TEST(MemoryLimit, IsReadFromTheFirstVersionOfControlGroups) {
  const TemporaryFolder root;
  write_text(root / "proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/job\n");
  write_text(root / "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "40000000\n");
  EXPECT_EQ(memory_limit(root.path()), 40'000'000);
}

TEST(MemoryLimit, AddressesThatAreLeftArePositive) { EXPECT_GT(addresses_left(), 0); }

}  // namespace
}  // namespace resflow
