#include "io/formats/csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/io/files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

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
                                                      {"\"", "\"\"", ",\n\","}};
  std::string text, wanted;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i)
      text += (i == 0 ? "" : ",") + csv_field(row[i]) + (i + 1 == row.size() ? "\n" : "");
  testing::write_text(folder / "rows.csv", text);
  for (const auto& row : rows) {
    for (const auto& field : row) wanted += hex_digits(field) + ".";
    wanted += "\n";
  }
  EXPECT_EQ(testing::run_python("io/formats/read_csv.py", {folder / "rows.csv"}), wanted);
}

}  // namespace
}  // namespace resflow
