// Of text. Matrices and .npz files are merged by tests/apps/merge_test.cpp, as the program writes them.
#include "apps/score/merged_rows.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::write_text;

class MergedCsv : public ::testing::Test {
 protected:
  MergedCsv() {
    write_text(inputs_[0], "path,error\n\"a\n1\",\na2,\n");
    write_text(inputs_[1], "path,error\nb1,is broken\n");
  }

  testing::TemporaryFolder folder_;
  std::vector<std::string> inputs_ = {folder_ / "a.csv", folder_ / "b.csv"};
  std::string out_ = folder_ / "out.csv";
};

TEST_F(MergedCsv, HasTheRowsInTheOrderInWhichTheyWereTaken) {
  const auto rows = merge_rows(ScoreFormat::kCsv, inputs_, out_);
  for (const size_t from : {0, 1, 0}) rows->take(from);
  EXPECT_FALSE(std::filesystem::exists(out_));
  rows->finish();
  EXPECT_EQ(testing::read_text(out_), "path,error\n\"a\n1\",\nb1,is broken\na2,\n");
}

TEST_F(MergedCsv, FilesWithMoreOrFewerRowsAreRefusedAndNothingIsLeft) {
  {
    const auto rows = merge_rows(ScoreFormat::kCsv, inputs_, out_);
    rows->take(1);
    expect_error(ErrorKind::kData, {inputs_[1], "has fewer rows than its shard"}, [&] { rows->take(1); });
    rows->take(0);
    expect_error(ErrorKind::kData, {inputs_[0], "has more rows than its shard"}, [&] { rows->finish(); });
  }
  EXPECT_FALSE(std::filesystem::exists(out_));
  EXPECT_FALSE(std::filesystem::exists(out_ + ".partial"));
}

TEST_F(MergedCsv, FilesOfOtherColumnsAreRefused) {
  write_text(inputs_[1], "path,class,error\n");
  expect_error(ErrorKind::kData, {inputs_[1], "has other columns than " + inputs_[0]},
               [&] { merge_rows(ScoreFormat::kCsv, inputs_, out_); });
}

}  // namespace
}  // namespace resflow
