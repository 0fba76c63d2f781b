#include "io/files/growing_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

TEST(GrowingFile, IsSeenOnceItIsWhole) {
  const TemporaryFolder folder;
  std::ofstream(folder / "x") << "previous";
  GrowingFile file(folder / "x");
  file.resize(0);
  file.write("012");
  file.write("3456789");
  file.rewrite(2, "abc");
  EXPECT_EQ(file.size(), 10);
  file.sync();
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_EQ(read_text(folder / "x.partial"), "01abc56789");
  file.publish();
  EXPECT_EQ(read_text(folder / "x"), "01abc56789");
  EXPECT_FALSE(fs::exists(folder / "x.partial"));
}

TEST(GrowingFile, GoesOnFromAnyLength) {
  const TemporaryFolder folder;
  {
    GrowingFile file(folder / "x");
    file.write("0123456789");
    file.sync();
    file.write("not synced, and lost");
  }
  EXPECT_EQ(read_text(folder / "x.partial"), "0123456789");
  GrowingFile file(folder / "x");
  EXPECT_EQ(file.size(), 10);
  expect_error(ErrorKind::kData, {"x.partial", "has 10 bytes, wanted at least 11"}, [&] { file.resize(11); });
  file.resize(4);
  file.write("ABC");
  file.publish();
  EXPECT_EQ(read_text(folder / "x"), "0123ABC");
}

TEST(GrowingFile, WritesMuchWhereTheSystemTakesLittleAtOnce) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.set_write_limit(1000);
  std::string wanted;
  GrowingFile file(folder / "x", files);
  for (int i = 0; i < 100'000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    wanted += piece;
    file.write(piece);
  }
  file.publish();
  EXPECT_TRUE(read_text(folder / "x") == wanted);
}

TEST(GrowingFile, LeavesNothingWhereItIsDiscarded) {
  const TemporaryFolder folder;
  GrowingFile file(folder / "x");
  file.write("0");
  file.sync();
  file.discard();
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(GrowingFile, HasOneWriter) {
  const TemporaryFolder folder;
  const GrowingFile file(folder / "x");
  expect_error(ErrorKind::kUsage, {folder / "x", "another program is writing it"},
               [&] { GrowingFile second(folder / "x"); });
}

TEST(GrowingFile, SaysWhereItCannotBe) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {"no folder", folder / "absent"}, [&] { GrowingFile(folder / "absent/x"); });
  FaultyFiles files;
  files.fail("open", 1, EACCES);
  expect_error(ErrorKind::kUsage, {"no permission", folder.path().string()}, [&] { GrowingFile(folder / "x", files); });
}

struct GrowingFault {
  const char* call;
  int error;
  const char* says;
};

class GrowingFileFault : public ::testing::TestWithParam<GrowingFault> {};

TEST_P(GrowingFileFault, LeavesThePreviousFileAndWhatWasSynced) {
  const TemporaryFolder folder;
  std::ofstream(folder / "x") << "previous";
  {
    GrowingFile file(folder / "x");
    file.write("01234");
    file.sync();
  }
  FaultyFiles files;
  files.fail(GetParam().call, 1, GetParam().error);
  expect_error(ErrorKind::kSystem, {folder / "x", GetParam().says}, [&] {
    GrowingFile file(folder / "x", files);
    file.resize(4);
    file.write("56789");
    file.rewrite(0, "0");
    file.publish();
  });
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_EQ(read_text(folder / "x.partial").substr(0, 4), "0123");
}

INSTANTIATE_TEST_SUITE_P(
    EachStep, GrowingFileFault,
    ::testing::Values(GrowingFault{"ftruncate", EIO, "cannot be cut"}, GrowingFault{"write", ENOSPC, "disk is full"},
                      GrowingFault{"write", EIO, "Input/output"}, GrowingFault{"pwrite", EDQUOT, "disk is full"},
                      GrowingFault{"fsync", EIO, "synced"}, GrowingFault{"rename", EIO, "renamed"}),
    [](const auto& info) { return std::string(info.param.call) + std::to_string(info.param.error); });

TEST(GrowingFile, GoesThroughNoLinkAndOverNoOtherName) {
  const TemporaryFolder folder;
  std::ofstream(folder / "victim") << "precious";
  fs::create_symlink("victim", folder / "x.partial");
  expect_error(ErrorKind::kUsage, {"x.partial", "is a link"}, [&] { GrowingFile file(folder / "x"); });
  fs::create_hard_link(folder / "victim", folder / "y.partial");
  expect_error(ErrorKind::kUsage, {"y.partial", "second name"}, [&] { GrowingFile file(folder / "y"); });
  fs::create_directory(folder / "z.partial");
  expect_error(ErrorKind::kUsage, {"z.partial", "in the way"}, [&] { GrowingFile file(folder / "z"); });
  EXPECT_EQ(read_text(folder / "victim"), "precious");
}

TEST(GrowingFile, ALinkIsWrittenWhereItLeadsAndKeepsItsMode) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "far");
  std::ofstream(folder / "far/y") << "previous";
  fs::permissions(folder / "far/y", fs::perms(0600));
  fs::create_symlink("far/y", folder / "x");
  GrowingFile file(folder / "x");
  file.write("new");
  file.sync();
  EXPECT_EQ(read_text(folder / "far/y.partial"), "new");
  file.publish();
  EXPECT_TRUE(fs::is_symlink(folder / "x"));
  EXPECT_EQ(read_text(folder / "far/y"), "new");
  EXPECT_EQ(fs::status(folder / "far/y").permissions(), fs::perms(0600));
}

TEST(GrowingFile, ADeviceIsWrittenAsItIs) {
  GrowingFile file("/dev/null");
  file.resize(0);
  file.write("rows");
  file.rewrite(0, "r");
  file.publish();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_FALSE(fs::exists("/dev/null.partial"));
}

TEST(GrowingFile, OneThatIsBegunAnewHasANameOfItsOwnAndLeavesNothing) {
  const TemporaryFolder folder;
  std::ofstream(folder / "x.partial") << "of a run that was not finished";
  {
    GrowingFile lost(folder / "x", machine_files(), GrowingFile::Begin::kAnew);
    lost.write("lost");
    lost.sync();
  }
  GrowingFile one(folder / "x", machine_files(), GrowingFile::Begin::kAnew);
  GrowingFile other(folder / "x", machine_files(), GrowingFile::Begin::kAnew);
  one.write("one");
  other.write("other");
  one.publish();
  EXPECT_EQ(read_text(folder / "x"), "one");
  other.publish();
  EXPECT_EQ(read_text(folder / "x"), "other");
  EXPECT_EQ(read_text(folder / "x.partial"), "of a run that was not finished");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 2);
}

TEST(GrowingFile, ItsNameIsSafeBeforeItIsSaidThatItsBytesAre) {
  const TemporaryFolder folder;
  FaultyFiles files;
  GrowingFile file(folder / "x", files);
  file.write("1");
  file.sync();
  EXPECT_EQ(files.log(), (std::vector<std::string>{"fsync", "fsync"}));  // the file, then its folder
  file.write("2");
  file.sync();
  EXPECT_EQ(files.calls("fsync"), 3);
}

TEST(GrowingFile, SaysWhereThereAreNoLocks) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.fail("flock", 1, EOPNOTSUPP);
  EXPECT_FALSE(GrowingFile(folder / "x", files).locked());
  EXPECT_TRUE(GrowingFile(folder / "y").locked());
}

}  // namespace
}  // namespace resflow
