#include "io/pictures/streamed_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;

// Reads at most ten bytes.
std::string read(StreamedFile& file) {
  std::array<std::byte, 10> bytes{};
  const std::optional<size_t> count = file.read(bytes);
  if (!count) return "error";
  return {reinterpret_cast<const char*>(bytes.data()), *count};
}

TEST(StreamedFile, ReadsAFileToItsEnd) {
  const TemporaryFolder folder;
  testing::write_text(folder / "file", "0123456789abc");
  StreamedFile file(folder / "file");
  EXPECT_EQ(read(file), "0123456789");
  EXPECT_EQ(read(file), "abc");
  EXPECT_EQ(read(file), "");
  EXPECT_FALSE(file.stopped());
}

TEST(StreamedFile, SaysWhyAFileCannotBeRead) {
  const TemporaryFolder folder;
  StreamedFile absent(folder / "absent");
  EXPECT_EQ(absent.error(), ENOENT);
  EXPECT_EQ(read(absent), "error");
  StreamedFile directory(folder.path().string());
  EXPECT_EQ(read(directory), "error");
  EXPECT_EQ(directory.error(), EISDIR);
}

TEST(StreamedFile, PassesOverWhatARegularFileHas) {
  const TemporaryFolder folder;
  constexpr int64_t kSkipped = 1 << 20;
  testing::write_text(folder / "file", std::string(kSkipped, 'x') + "end");
  StreamedFile file(folder / "file");
  EXPECT_EQ(file.skip(10), 0) << "less is read";
  EXPECT_EQ(file.skip(kSkipped + 2), kSkipped);
  EXPECT_EQ(read(file), "end");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  StreamedFile pipe(folder / "pipe");
  EXPECT_EQ(pipe.skip(kSkipped), 0);
}

TEST(StreamedFile, WaitsForTheFirstWriterAndEndsWithTheLast) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  int asked = 0, writer = -1;
  StreamedFile file(folder / "pipe", [&] {
    // It has asked once before it waits, and again after it has waited: nobody has written meanwhile.
    if (++asked == 2) {
      writer = ::open((folder / "pipe").c_str(), O_WRONLY | O_CLOEXEC);
      EXPECT_EQ(::write(writer, "late", 4), 4);
    }
    return false;
  });
  EXPECT_EQ(read(file), "late");
  ::close(writer);
  EXPECT_EQ(read(file), "");
  EXPECT_FALSE(file.stopped());
}

TEST(StreamedFile, LetsGoOfAPipeThatIsSilent) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int writer = ::open((folder / "pipe").c_str(), O_RDWR | O_CLOEXEC);
  int asked = 0;
  StreamedFile file(folder / "pipe", [&] { return ++asked == 3; });
  EXPECT_EQ(read(file), "");
  EXPECT_TRUE(file.stopped());
  EXPECT_EQ(asked, 3);
  EXPECT_TRUE(file.ask_to_stop());
  EXPECT_EQ(asked, 3) << "who was told once is told for good";
  ::close(writer);
}

}  // namespace
}  // namespace resflow
