// Covers: io/files/atomic_file io/files/output_place
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>

#include "io/files/file.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::read_text;
using testing::span_of;
using testing::TemporaryFolder;

size_t file_count(const TemporaryFolder& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(AtomicFile, SyncsTheFileThenRenamesThenSyncsTheFolder) {
  const TemporaryFolder folder;
  FaultyFiles files;
  replace_file(folder / "x", span_of("new"), files);
  EXPECT_EQ(files.log(), (std::vector<std::string>{"fsync", "rename", "fsync"}));
  EXPECT_EQ(read_text(folder / "x"), "new");
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(AtomicFile, WritesAllWhereTheSystemTakesAFewBytesAtOnce) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.set_write_limit(3);
  replace_file(folder / "x", span_of("0123456789"), files);
  EXPECT_EQ(read_text(folder / "x"), "0123456789");
}

TEST(AtomicFile, WritesOverWhatWasWritten) {
  const TemporaryFolder folder;
  for (const size_t limit : {size_t{2}, SIZE_MAX}) {
    FaultyFiles files;
    files.set_write_limit(limit);
    AtomicFile file(folder / "x", 12, files);
    file.write(span_of("0123456789"));
    file.rewrite(3, span_of("abcde"));
    file.write(span_of("xy"));
    expect_error(ErrorKind::kInternal, {folder / "x", "not there"}, [&] { file.rewrite(8, span_of("12345")); });
    file.commit();
    EXPECT_EQ(read_text(folder / "x"), "012abcde89xy");
  }
}

TEST(AtomicFile, AFailedWritingOverLeavesThePreviousFile) {
  const TemporaryFolder folder;
  replace_file(folder / "x", span_of("previous"));
  FaultyFiles files;
  files.fail("pwrite", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {folder / "x", "disk is full", "previous file is unchanged"}, [&] {
    AtomicFile file(folder / "x", 10, files);
    file.write(span_of("0123456789"));
    file.rewrite(0, span_of("a"));
  });
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_EQ(file_count(folder), 1U);
}

struct AtomicFault {
  const char* call;
  int nth;
  int error;
  const char* says;
};

class AtomicFileFault : public ::testing::TestWithParam<AtomicFault> {};

TEST_P(AtomicFileFault, LeavesThePreviousFileAndNothingElse) {
  const TemporaryFolder folder;
  replace_file(folder / "x", span_of("previous"));
  FaultyFiles files;
  files.set_write_limit(1000);
  files.fail(GetParam().call, GetParam().nth, GetParam().error);
  const std::string content(5000, 'n');
  expect_error(ErrorKind::kSystem, {folder / "x", GetParam().says},
               [&] { replace_file(folder / "x", span_of(content), files); });
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_EQ(file_count(folder), 1U) << "the temporary file is still there";
}

INSTANTIATE_TEST_SUITE_P(
    EachStep, AtomicFileFault,
    ::testing::Values(AtomicFault{"write", 1, ENOSPC, "5000 bytes needed"},
                      AtomicFault{"write", 3, ENOSPC, "disk is full"}, AtomicFault{"write", 5, EDQUOT, "disk is full"},
                      AtomicFault{"write", 2, EIO, "Input/output error"},
                      AtomicFault{"fsync", 1, EIO, "cannot be synced"}, AtomicFault{"fsync", 1, ENOSPC, "disk is full"},
                      AtomicFault{"close", 1, EIO, "cannot be closed"},
                      AtomicFault{"rename", 1, EIO, "cannot be renamed"}),
    [](const auto& info) {
      return std::string(info.param.call) + std::to_string(info.param.nth) + "Error" + std::to_string(info.param.error);
    });

TEST(AtomicFile, NeverTriesAFailedSyncAgain) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.fail("fsync", 1, EIO);
  EXPECT_THROW(replace_file(folder / "x", span_of("new"), files), Error);
  EXPECT_EQ(files.calls("fsync"), 1);
}

TEST(AtomicFile, SaysBeforeItWritesThatTheDiskIsTooSmall) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.set_free_bytes(9);
  files.fail("allocate", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {"10 bytes needed", "9 free"},
               [&] { replace_file(folder / "x", span_of("0123456789"), files); });
  EXPECT_EQ(files.calls("write"), 0);
  EXPECT_EQ(file_count(folder), 0U);
}

TEST(AtomicFile, BelievesTheFileSystemAndNotItsFiguresWhatIsFree) {
  for (const int answer : {0, EOPNOTSUPP}) {
    const TemporaryFolder folder;
    FaultyFiles files;
    files.set_free_bytes(9);
    if (answer != 0) files.fail("allocate", 1, answer);
    replace_file(folder / "x", span_of("0123456789"), files);
    EXPECT_EQ(read_text(folder / "x"), "0123456789");
  }
}

TEST(AtomicFile, SaysThatTheFolderIsAbsentOrForbidden) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {"no folder", folder / "absent"},
               [&] { replace_file(folder / "absent/x", span_of("new")); });
  FaultyFiles files;
  files.fail("open", 1, EACCES);
  expect_error(ErrorKind::kUsage, {"no permission", folder.path().string()},
               [&] { replace_file(folder / "x", span_of("new"), files); });
}

TEST(AtomicFile, AnswersARealLimitOfFileSize) {
  const TemporaryFolder folder;
  replace_file(folder / "x", span_of("previous"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto former = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string content(100'000, 'n');
  expect_error(ErrorKind::kSystem, {"100000 bytes needed", "previous file is unchanged"},
               [&] { replace_file(folder / "x", span_of(content)); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, former);
  EXPECT_EQ(read_text(folder / "x"), "previous");
  EXPECT_EQ(file_count(folder), 1U);
}

void write_generation(const std::string& path, const std::string& text, int generations,
                      FileSystem& files = machine_files()) {
  AtomicFile file(path, static_cast<int64_t>(text.size()), files);
  file.write(span_of(text));
  file.commit(generations);
}

TEST(AtomicFile, KeepsGenerationsNewestFirst) {
  const TemporaryFolder folder;
  for (int n = 1; n <= 5; ++n) write_generation(folder / "x", std::to_string(n), 3);
  EXPECT_EQ(read_text(folder / "x"), "5");
  EXPECT_EQ(read_text(folder / "x.1"), "4");
  EXPECT_EQ(read_text(folder / "x.2"), "3");
  EXPECT_EQ(file_count(folder), 3U);
}

TEST(AtomicFile, KeepsGenerationsWhereThereAreNoLinks) {
  const TemporaryFolder folder;
  for (int n = 1; n <= 4; ++n) {
    FaultyFiles files;
    files.fail("link", 1, EPERM);
    // The first file has no previous one to link to.
    if (n == 1) files.fail("link", 1, ENOENT);
    write_generation(folder / "x", std::to_string(n), 3, files);
  }
  EXPECT_EQ(read_text(folder / "x"), "4");
  EXPECT_EQ(read_text(folder / "x.1"), "3");
  EXPECT_EQ(read_text(folder / "x.2"), "2");
  EXPECT_EQ(file_count(folder), 3U);
}

TEST(AtomicFile, AFailedRenameAtAnyStepLeavesTheCurrentGeneration) {
  for (int nth = 1; nth <= 3; ++nth) {
    const TemporaryFolder folder;
    for (int n = 1; n <= 3; ++n) write_generation(folder / "x", std::to_string(n), 3);
    FaultyFiles files;
    files.fail("rename", nth, EIO);
    EXPECT_THROW(write_generation(folder / "x", "new", 3, files), Error);
    EXPECT_EQ(read_text(folder / "x"), "3") << "rename " << nth;
    // And the next save works.
    write_generation(folder / "x", "4", 3);
    EXPECT_EQ(read_text(folder / "x"), "4");
    EXPECT_EQ(read_text(folder / "x.1"), "3");
    EXPECT_EQ(file_count(folder), 3U);
  }
}

TEST(AtomicFile, ASignalDuringSyncOrCloseIsNoFailure) {
  for (const char* call : {"fsync", "close"}) {
    const TemporaryFolder folder;
    FaultyFiles files;
    files.fail_once(call, 1, EINTR);
    replace_file(folder / "x", span_of("new"), files);
    EXPECT_EQ(read_text(folder / "x"), "new") << call;
  }
}

TEST(AtomicFile, AWriteThatTakesNothingEnds) {
  const TemporaryFolder folder;
  FaultyFiles files;
  files.set_write_limit(0);
  expect_error(ErrorKind::kSystem, {folder / "x", "cannot be written"},
               [&] { replace_file(folder / "x", span_of("new"), files); });
  EXPECT_EQ(file_count(folder), 0U);
}

TEST(AtomicFile, TwoWritersOfOnePathEachLeaveAWholeFile) {
  const TemporaryFolder folder;
  AtomicFile one(folder / "x", 0), other(folder / "x", 0);
  one.write(span_of("one, "));
  other.write(span_of("the other"));
  other.commit();
  EXPECT_EQ(read_text(folder / "x"), "the other");
  one.write(span_of("longer"));
  one.commit();
  EXPECT_EQ(read_text(folder / "x"), "one, longer");
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(AtomicFile, KeepsTheModeOfTheFileItReplaces) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0600, 0664, 0444}) {
    replace_file(folder / "x", span_of("previous"));
    ASSERT_EQ(chmod((folder / "x").c_str(), mode), 0);
    replace_file(folder / "x", span_of("new"));
    struct stat status {};
    ASSERT_EQ(stat((folder / "x").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, mode);
    fs::remove(folder / "x");
  }
}

TEST(AtomicFile, AModeThatCannotBeKeptIsNeverWider) {
  const TemporaryFolder folder;
  replace_file(folder / "x", span_of("previous"));
  ASSERT_EQ(chmod((folder / "x").c_str(), 0600), 0);
  FaultyFiles files;
  files.fail("fchmod", 1, EPERM);
  replace_file(folder / "x", span_of("new"), files);
  struct stat status {};
  ASSERT_EQ(stat((folder / "x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077U, 0U);
}

TEST(AtomicFile, ALinkIsWrittenWhereItLeads) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "far/away");
  fs::create_symlink("far/link", folder / "x");
  fs::create_symlink("away/x", folder / "far/link");
  for (const char* text : {"new", "newer"}) {  // it leads to nothing first, and then to a file
    replace_file(folder / "x", span_of(text));
    EXPECT_TRUE(fs::is_symlink(folder / "x"));
    EXPECT_TRUE(fs::is_symlink(folder / "far/link"));
    EXPECT_EQ(read_text(folder / "far/away/x"), text);
  }
  fs::create_symlink("two", folder / "one");
  fs::create_symlink("one", folder / "two");
  expect_error(ErrorKind::kUsage, {folder / "one", "circle"}, [&] { replace_file(folder / "one", span_of("new")); });
}

TEST(AtomicFile, ALinkThatStandsInThePlaceOfAPartialFileIsNotWrittenThrough) {
  const TemporaryFolder folder;
  replace_file(folder / "victim", span_of("precious"));
  fs::create_symlink("victim", folder / "x.partial");
  replace_file(folder / "x", span_of("new"));
  EXPECT_EQ(read_text(folder / "victim"), "precious");
  EXPECT_FALSE(fs::is_symlink(folder / "x"));
}

TEST(AtomicFile, DevicesPipesAndDescriptorsAreWrittenAsTheyAre) {
  replace_file("/dev/null", span_of("new"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));

  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  replace_file(folder / "pipe", span_of("through it"));
  std::string got(100, '\0');
  got.resize(static_cast<size_t>(std::max<ssize_t>(::read(reader, got.data(), got.size()), 0)));
  EXPECT_EQ(got, "through it");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
  ::close(reader);

  // As /dev/stdout of a program whose output goes to a file: what was written before stays.
  const int file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::write(file, "before, ", 8), 8);
  const std::string name = "/dev/fd/" + std::to_string(file);
  replace_file(name, span_of("behind"));
  ASSERT_EQ(::write(file, "!", 1), 1);
  EXPECT_EQ(read_text(folder / "out"), "before, behind!");
  ::close(file);
  expect_error(ErrorKind::kUsage, {name}, [&] { replace_file(name, span_of("new")); });
}

TEST(AtomicFile, ANameIsTooLongWhereItsPartialFileWouldBe) {
  const TemporaryFolder folder;
  const std::string longest(247, 'x');
  replace_file(folder / longest, span_of("new"));
  EXPECT_EQ(read_text(folder / longest), "new");
  for (const size_t length : {248, 255, 256, 5000})
    expect_error(ErrorKind::kUsage, {"name too long"},
                 [&] { replace_file(folder / std::string(length, 'x'), span_of("new")); });
  expect_error(ErrorKind::kUsage, {"is a folder"}, [&] { replace_file(folder.path().string(), span_of("new")); });
}

TEST(AtomicFile, CopiesTheGenerationBeforeWhereThereAreNoLinks) {
  const TemporaryFolder folder;
  write_generation(folder / "x", "1", 3);
  FaultyFiles files;
  files.fail("link", 1, EOPNOTSUPP);
  files.fail("rename", 3, EIO);  // the copy gets its name; the new file does not
  EXPECT_THROW(write_generation(folder / "x", "2", 3, files), Error);
  EXPECT_EQ(read_text(folder / "x"), "1");
  EXPECT_EQ(read_text(folder / "x.1"), "1");
  EXPECT_EQ(file_count(folder), 2U);
}

TEST(AtomicFile, SaysWhatHasBecomeOfTheGenerations) {
  const TemporaryFolder folder;
  for (int n = 1; n <= 3; ++n) write_generation(folder / "x", std::to_string(n), 3);
  FaultyFiles files;
  files.fail("rename", 3, EIO);
  expect_error(ErrorKind::kSystem, {"the previous file is still there"},
               [&] { write_generation(folder / "x", "new", 3, files); });
}

}  // namespace
}  // namespace resflow
