#include "io/files/file_lock.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(FileLock, TheSecondIsToldWhoTheFirstIs) {
  const TemporaryFolder folder;
  const std::string path = folder / "lock";
  {
    const FileLock lock(path, "run");
    EXPECT_TRUE(lock.is_real());
    expect_error(ErrorKind::kUsage, {"run: is in use by process " + std::to_string(::getpid()) + " on ", "since 2"},
                 [&] { const FileLock second(path, "run"); });
  }
  EXPECT_FALSE(fs::exists(path));
  const FileLock next(path, "run");
}

TEST(FileLock, WhatAKilledProcessLeftIsNoLock) {
  const TemporaryFolder folder;
  write_text(folder / "lock",
             "process 1 on elsewhere since 2026-01-01 00:00:00 UTC, a longer text than ours will be\n");
  const FileLock lock(folder / "lock", "run");
  EXPECT_EQ(read_text(folder / "lock").find("process " + std::to_string(::getpid())), 0U);
  EXPECT_EQ(read_text(folder / "lock").find("longer"), std::string::npos);
}

TEST(FileLock, IsTheFileItselfWhereThereAreNoLocks) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.fail("flock", 1, ENOLCK);
  const std::string path = folder / "lock";
  {
    const FileLock lock(path, "run", files);
    EXPECT_FALSE(lock.is_real());
    expect_error(ErrorKind::kUsage, {"run: is in use by process", "remove " + path},
                 [&] { const FileLock second(path, "run", files); });
  }
  EXPECT_FALSE(fs::exists(path));
  // Of a process of another machine nobody here knows whether it lives.
  write_text(path, "process 1 on elsewhere since 2026-01-01 00:00:00 UTC\n");
  expect_error(ErrorKind::kUsage, {"elsewhere"}, [&] { const FileLock second(path, "run", files); });
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  char host[256] = {};
  ASSERT_EQ(::gethostname(host, sizeof host - 1), 0);
  write_text(path, "process " + std::to_string(child) + " on " + host + " since 2026-01-01 00:00:00 UTC\n");
  const FileLock next(path, "run", files);
}

TEST(FileLock, GoesThroughNoLink) {
  const TemporaryFolder folder;
  write_text(folder / "victim", "precious");
  fs::create_symlink("victim", folder / "lock");
  expect_error(ErrorKind::kUsage, {"is a link"}, [&] { const FileLock lock(folder / "lock", "run"); });
  fs::create_hard_link(folder / "victim", folder / "other");
  expect_error(ErrorKind::kUsage, {"is in the way"}, [&] { const FileLock lock(folder / "other", "run"); });
  EXPECT_EQ(read_text(folder / "victim"), "precious");
  FaultyFiles files;
  files.fail("open", 1, EACCES);
  expect_error(ErrorKind::kUsage, {"no permission"}, [&] { const FileLock lock(folder / "x", "run", files); });
  files.fail("open", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {"cannot be made"}, [&] { const FileLock lock(folder / "x", "run", files); });
}

}  // namespace
}  // namespace resflow
