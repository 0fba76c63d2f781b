#include "io/files/partial_file.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/io/files/faulty_files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::FaultyFiles;
using testing::TemporaryFolder;

// The number of a process that has ended.
std::string ended_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  return std::to_string(child);
}

TEST(PartialFile, IsNotLeftWhereItCannotBeLookedAt) {
  for (const char* call : {"fstat", "lstat"})
    for (const int error : {EIO, ESTALE, EACCES}) {
      const TemporaryFolder folder;
      const OutputPlace place = output_place(folder / "x");
      FaultyFiles files;
      files.fail(call, 1, error);
      EXPECT_EQ(make_partial(place, files).file, -1);
      EXPECT_EQ(errno, error);
      EXPECT_TRUE(fs::is_empty(folder.path()));
      files.fail_once(call, 1, EIO);
      const PartialFile made = make_partial(place, files);
      EXPECT_TRUE(fs::exists(made.path));
      for (const int file : {made.file, made.lock}) ::close(file);
    }
}

TEST(PartialFile, IsNewEachTimeAndLockedWhileItIsWritten) {
  const TemporaryFolder folder;
  const OutputPlace place = output_place(folder / "x");
  const PartialFile one = make_partial(place, machine_files()), other = make_partial(place, machine_files());
  EXPECT_NE(one.path, other.path);
  const int again = ::open(one.path.c_str(), O_RDWR);
  ::close(one.file);
  EXPECT_NE(::flock(again, LOCK_EX | LOCK_NB), 0) << "closing the file gave its lock away";
  ::close(one.lock);
  EXPECT_EQ(::flock(again, LOCK_EX | LOCK_NB), 0);
  for (const int file : {again, other.file, other.lock}) ::close(file);
}

TEST(PartialFile, WhatAKilledWriterLeftGoesAndNothingElse) {
  const TemporaryFolder folder;
  const std::string process = ended_process();
  const auto make = [&](const std::string& name) { std::ofstream(folder / name) << "x"; };
  for (const std::string& name :
       {"x." + process + "-0123abcd.partial", std::string("x.1-ffffffff.partial"), std::string("x.partial"),
        "x." + process + "-0123abcd.partial2", "xy." + process + "-0123abcd.partial", std::string("x.1-2.partial"),
        std::string("x.a-0123abcd.partial")})
    make(name);
  const std::string held = folder / ("x." + process + "-00000000.partial");
  make(fs::path(held).filename());
  const int holder = ::open(held.c_str(), O_RDWR);
  ASSERT_EQ(::flock(holder, LOCK_EX | LOCK_NB), 0);
  remove_stale_partials(output_place(folder / "x"), machine_files());
  EXPECT_FALSE(fs::exists(folder / ("x." + process + "-0123abcd.partial")));
  EXPECT_FALSE(fs::exists(folder / "x.1-ffffffff.partial"));
  EXPECT_TRUE(fs::exists(held));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 6);
  ::close(holder);
}

TEST(PartialFile, WithoutLocksItIsOldAndItsProcessGone) {
  const TemporaryFolder folder;
  const std::string old = folder / ("x." + ended_process() + "-00000001.partial"),
                    fresh = folder / ("x." + ended_process() + "-00000002.partial"),
                    living = folder / ("x." + std::to_string(::getpid()) + "-00000003.partial");
  for (const std::string& path : {old, fresh, living}) std::ofstream(path) << "x";
  for (const std::string& path : {old, living})
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(25));
  FaultyFiles files;
  files.fail("flock", 1, EOPNOTSUPP);
  remove_stale_partials(output_place(folder / "x"), files);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_TRUE(fs::exists(living));
}

TEST(PartialFile, ALongNameIsCutBetweenCharacters) {
  const TemporaryFolder folder;
  std::string name;
  for (int i = 0; i < 82; ++i) name += "\xE4\xB8\x80";  // 246 bytes
  const PartialFile partial = make_partial(output_place(folder / name), machine_files());
  ASSERT_GE(partial.file, 0);
  const std::string stem = fs::path(partial.path).filename().string();
  EXPECT_EQ(stem.find('.') % 3, 0U);
  ::close(partial.file);
  ::close(partial.lock);
}

}  // namespace
}  // namespace resflow
