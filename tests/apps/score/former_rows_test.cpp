#include "apps/score/former_rows.h"

#include <gtest/gtest.h>

#include "apps/score/rows.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_text;

// Names and errors with all that a field may hold.
const std::vector<std::pair<std::string, std::string>> kFormer = {
    {"plain.jpg", ""},
    {"a,\"b\"\nc.jpg", ""},
    {"\xFF\xC3(.jpg", "is broken, \"badly\",\r\nand so on"},
    {"\"", "\""},
    {"last.jpg", "x"}};

std::string written(const RowText& rows) {
  std::string text = rows.header();
  const std::vector<double> scores = {0.25, 0.75};
  for (const auto& [name, error] : kFormer)
    rows.append(
        {.name = name, .error = error, .probabilities = error.empty() ? std::span(scores) : std::span<const double>()},
        text);
  return text;
}

TEST(FormerRows, GiveNamesAndErrorsAndTheBytes) {
  const TemporaryFolder folder;
  const std::vector<std::string> classes = {"a,b", "c\nd"};
  const RowOptions options = {.top = 2, .all_scores = true};
  for (const FormerKind kind : {FormerKind::kCsv, FormerKind::kJsonl}) {
    const auto rows = kind == FormerKind::kCsv ? make_csv_rows(classes, options) : make_jsonl_rows(classes, options);
    const std::string text = written(*rows);
    write_text(folder / "rows", text);
    const FormerFiles files = {.kind = kind, .out = folder / "rows", .header = rows->header()};
    FormerRows former(files);
    std::string bytes = rows->header();
    size_t row = 0;
    for (FormerRow one; former.next(one); ++row) {
      ASSERT_LT(row, kFormer.size());
      EXPECT_EQ(one.picture.name, kFormer[row].first);
      EXPECT_EQ(one.picture.error.empty(), kFormer[row].second.empty());
      bytes += one.text;
    }
    EXPECT_EQ(row, kFormer.size());
    EXPECT_EQ(bytes, text);
    EXPECT_EQ(count_errors(files), 3);

    FormerRows rest(files);
    rest.skip(4);
    FormerRow last;
    ASSERT_TRUE(rest.next(last));
    EXPECT_EQ(last.picture.name, "last.jpg");
    expect_error(ErrorKind::kData, {"rows", "5 rows, 6 of them"}, [&] { FormerRows(files).skip(6); });
  }
}

TEST(FormerRows, OtherColumnsAndDamageAreRefused) {
  const TemporaryFolder folder;
  write_text(folder / "rows", "path,class,probability,error\na.jpg,cat,0.5,\nb.jpg,c");
  const std::string header = "path,class,probability,error\n";
  expect_error(ErrorKind::kUsage, {"other columns"},
               [&] { FormerRows({.kind = FormerKind::kCsv, .out = folder / "rows", .header = "path,class,error\n"}); });
  expect_error(ErrorKind::kData, {"ends within a row"},
               [&] { count_errors({.kind = FormerKind::kCsv, .out = folder / "rows", .header = header}); });
  write_text(folder / "lines", "{\"path\": \"a\", \"error\": \"x\"}\n{\"error\"}\n");
  expect_error(ErrorKind::kData, {"lines", "row 2"},
               [&] { count_errors({.kind = FormerKind::kJsonl, .out = folder / "lines"}); });
  EXPECT_THROW(FormerRows({.kind = FormerKind::kJsonl, .out = folder / "absent"}), Error);
}

}  // namespace
}  // namespace resflow
