#include "io/files/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <iterator>

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

std::string read_file_as_text(const std::string& path, FileSystem& files = machine_files()) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer, files);
  return {bytes.begin(), bytes.end()};
}

size_t file_count(const TemporaryFolder& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST(ReadFile, ReadsWholeFilesIntoOneBuffer) {
  const TemporaryFolder folder;
  replace_file(folder / "long", span_of("a longer text"));
  replace_file(folder / "short", span_of("short"));
  replace_file(folder / "empty", {});
  std::vector<uint8_t> buffer;
  EXPECT_EQ(read_file(folder / "long", buffer).size(), 13U);
  const uint8_t* memory = buffer.data();
  const auto bytes = read_file(folder / "short", buffer);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "short");
  EXPECT_EQ(read_file(folder / "empty", buffer).size(), 0U);
  EXPECT_EQ(buffer.data(), memory);
}

TEST(ReadFile, NamesWhatIsNoFile) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kData, {folder / "absent.jpg", "No such file"},
               [&] { read_file_as_text(folder / "absent.jpg"); });
  fs::create_directory(folder / "folder.jpg");
  expect_error(ErrorKind::kData, {folder / "folder.jpg", "is a folder"},
               [&] { read_file_as_text(folder / "folder.jpg"); });
  // Opening a pipe that nobody writes to would wait for ever.
  ASSERT_EQ(mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);
  expect_error(ErrorKind::kData, {folder / "pipe.jpg", "pipe"}, [&] { read_file_as_text(folder / "pipe.jpg"); });
}

TEST(ReadFile, NamesMissingPermission) {
  const TemporaryFolder folder;
  replace_file(folder / "x.jpg", span_of("x"));
  FaultyFiles files;
  files.fail("open", 1, EACCES);
  expect_error(ErrorKind::kData, {"x.jpg", "no permission"}, [&] { read_file_as_text(folder / "x.jpg", files); });
}

TEST(ReadFile, SurvivesAFileThatShrinksMeanwhile) {
  const TemporaryFolder folder;
  replace_file(folder / "x.jpg", span_of("0123456789"));
  FaultyFiles files;
  files.shrink_to(4);
  expect_error(ErrorKind::kData, {"x.jpg", "shorter", "4 bytes", "wanted 10"},
               [&] { read_file_as_text(folder / "x.jpg", files); });
}

TEST(ReadFile, SaysThatAFileCannotBeHadApartFromWhatItHolds) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_file_as_text(folder / "absent.jpg"), UnreadableFile);
  fs::create_directory(folder / "folder.jpg");
  try {
    read_file_as_text(folder / "folder.jpg");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const UnreadableFile&) {
    ADD_FAILURE() << "it can be read: it is a folder";
  } catch (const Error&) {
  }
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
  expect_error(ErrorKind::kSystem, {"10 bytes needed", "9 free"},
               [&] { replace_file(folder / "x", span_of("0123456789"), files); });
  EXPECT_EQ(files.calls("open"), 0);
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

}  // namespace
}  // namespace resflow
