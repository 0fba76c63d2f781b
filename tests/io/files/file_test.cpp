#include "io/files/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::span_of;
using testing::TemporaryFolder;

std::string read_file_as_text(const std::string& path, FileSystem& files = machine_files()) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer, files);
  return {bytes.begin(), bytes.end()};
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

}  // namespace
}  // namespace resflow
