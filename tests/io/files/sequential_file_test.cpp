#include "io/files/sequential_file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

TEST(SequentialFile, GivesPiecesFromItsBeginToItsEnd) {
  const TemporaryFolder folder;
  testing::write_text(folder / "x", "abcdefgh");
  SequentialFile all(folder / "x");
  EXPECT_EQ(all.next(3), "abc");
  EXPECT_EQ(all.next(5), "defgh");
  EXPECT_EQ(all.next(1), std::nullopt);
  SequentialFile part(folder / "x", 2, 4);
  EXPECT_EQ(part.next(4), "cdef");
  EXPECT_EQ(part.next(4), std::nullopt);
}

TEST(SequentialFile, SaysThatThereAreFewerBytes) {
  const TemporaryFolder folder;
  testing::write_text(folder / "x", "abc");
  SequentialFile file(folder / "x");
  expect_error(ErrorKind::kData, {folder / "x"}, [&] { file.next(4); });
  expect_error(ErrorKind::kData, {folder / "absent"}, [&] { SequentialFile(folder / "absent"); });
}

TEST(SequentialFile, GivesRowsWithTheirLineFeed) {
  const TemporaryFolder folder;
  testing::write_text(folder / "x", "a,b\n\"two\nlines\",\"\"\"\"\n\nlast\n");
  SequentialFile quoted(folder / "x"), plain(folder / "x");
  for (const char* row : {"a,b\n", "\"two\nlines\",\"\"\"\"\n", "\n", "last\n"}) EXPECT_EQ(quoted.next_row(true), row);
  EXPECT_EQ(quoted.next_row(true), std::nullopt);
  for (const char* row : {"a,b\n", "\"two\n", "lines\",\"\"\"\"\n"}) EXPECT_EQ(plain.next_row(false), row);
}

TEST(SequentialFile, GivesRowsThatAreLongerThanWhatIsReadAtOnce) {
  const TemporaryFolder folder;
  const std::string row = std::string(3'000'000, 'x') + "\n";
  testing::write_text(folder / "x", "a\n" + row + "b\n");
  SequentialFile file(folder / "x");
  EXPECT_EQ(file.next_row(true), "a\n");
  EXPECT_TRUE(file.next_row(true) == row);
  EXPECT_EQ(file.next_row(true), "b\n");
}

}  // namespace
}  // namespace resflow
