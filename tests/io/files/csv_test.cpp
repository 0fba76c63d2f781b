#include "io/files/csv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::hex_digits;
using testing::TemporaryFolder;

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain text's"), "plain text's");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, OddPathsComeBackFromAnotherReader) {
  if (!testing::python_has({"csv"})) GTEST_SKIP() << "no /usr/bin/python3";
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> rows = {{"path", "class", "probability"},
                                                      {"a,b.jpg", "\"quoted\"", "0.5"},
                                                      {"new\nline.jpg", "car\rriage", "\r\n"},
                                                      {"", " spaces ", "\xC3\xBC"},
                                                      {""},
                                                      {"\"", "\"\"", ",\n\","}};
  CsvWriter writer(folder / "rows.csv");
  for (const auto& row : rows) writer.row(row);
  writer.close();

  std::string wanted;
  for (const auto& row : rows) {
    for (const auto& field : row) wanted += hex_digits(field) + ".";
    wanted += "\n";
  }
  EXPECT_EQ(testing::run_python("io/files/read_csv.py", {folder / "rows.csv"}), wanted);
}

TEST(Csv, SaysWhereItCannotWrite) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {"absent/rows.csv", "No such file"}, [&] { CsvWriter(folder / "absent/rows.csv"); });
}

TEST(Csv, SaysThatTheDiskIsFull) {
  std::ofstream full("/dev/full");
  if (!full) GTEST_SKIP() << "no /dev/full";
  expect_error(ErrorKind::kSystem, {"/dev/full", "No space left"}, [&] {
    CsvWriter writer("/dev/full");
    writer.row({"a", "b"});
    writer.close();
  });
}

}  // namespace
}  // namespace resflow
