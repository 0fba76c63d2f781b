#include "io/files/file_state.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

TEST(FileState, ChangesWithSizeAndTimeAndWithNothingElse) {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "a";
  EXPECT_EQ(file_state(path), 0U);
  testing::write_text(path, "one");
  const fs::file_time_type time = fs::last_write_time(path);
  const uint64_t first = file_state(path);
  EXPECT_NE(first, 0U);
  fs::rename(path, folder / "b");
  EXPECT_EQ(file_state(folder / "b"), first);
  testing::write_text(folder / "b", "longer");
  fs::last_write_time(folder / "b", time);
  EXPECT_NE(file_state(folder / "b"), first);
  testing::write_text(folder / "b", "two");
  fs::last_write_time(folder / "b", time + std::chrono::nanoseconds(1000));
  EXPECT_NE(file_state(folder / "b"), first);
  fs::last_write_time(folder / "b", time);
  EXPECT_EQ(file_state(folder / "b"), first);
}

}  // namespace
}  // namespace resflow
