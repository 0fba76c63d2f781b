#include "io/files/path_facts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::TemporaryFolder;
using testing::write_text;

class PathFacts : public ::testing::Test {
 protected:
  PathFacts() {
    write_text(file_, "1234");
    fs::create_symlink("file", link_);
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_ / "file", link_ = folder_ / "link", absent_ = folder_ / "absent";
};

TEST_F(PathFacts, AreOfTheFileOrOfTheLinkToIt) {
  EXPECT_EQ(facts_of(link_)->st_size, 4);
  EXPECT_TRUE(S_ISLNK(facts_of(link_, LastLink::kItself)->st_mode));
  EXPECT_TRUE(is_there(link_));
  fs::remove(file_);
  EXPECT_FALSE(is_there(link_));
  EXPECT_TRUE(is_there(link_, LastLink::kItself));
  EXPECT_FALSE(is_there(absent_));
  EXPECT_FALSE(is_there(link_ + "/below"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_TRUE(is_folder(folder_.path().string()));
  EXPECT_FALSE(is_folder(link_, LastLink::kItself));
}

TEST_F(PathFacts, AFailingMachineIsNotAnAbsentFile) {
  for (const int error : {EIO, ESTALE, ETIMEDOUT, ENOMEM, EINTR}) {
    for (const int times : {1, 3}) {
      FaultyFiles files;
      for (const char* call : {"stat", "lstat", "access"}) files.fail(call, 1, error, times);
      EXPECT_TRUE(is_there(file_, LastLink::kFollowed, files));
      EXPECT_TRUE(is_there(file_, LastLink::kItself, files));
      EXPECT_TRUE(is_allowed(file_, R_OK, files));
    }
    FaultyFiles files;
    for (const char* call : {"stat", "lstat", "access"}) files.fail(call, 1, error);
    for (const LastLink link : {LastLink::kFollowed, LastLink::kItself}) {
      expect_error(ErrorKind::kSystem, {absent_, reason_of(error)}, [&] { is_there(absent_, link, files); });
      expect_error(ErrorKind::kSystem, {file_, reason_of(error)}, [&] { is_folder(file_, link, files); });
    }
    expect_error(ErrorKind::kSystem, {file_, reason_of(error)}, [&] { is_allowed(file_, W_OK, files); });
  }
}

TEST_F(PathFacts, WhatMayNotBeLookedAtIsNeitherThereNorAbsent) {
  FaultyFiles files;
  files.fail("stat", 1, EACCES);
  expect_error(ErrorKind::kUsage, {file_, "no permission"}, [&] { is_there(file_, LastLink::kFollowed, files); });
  EXPECT_FALSE(is_folder(folder_.path().string(), LastLink::kFollowed, files));
}

TEST_F(PathFacts, FoldersAreMadeWithThoseTheyLieIn) {
  make_folders(folder_ / "a/b/c", "named");
  EXPECT_TRUE(is_folder(folder_ / "a/b/c"));
  make_folders(folder_ / "a/b/c", "named");
  expect_error(ErrorKind::kUsage, {"named: cannot make the folder"}, [&] { make_folders(file_ + "/x", "named"); });
}

}  // namespace
}  // namespace resflow
