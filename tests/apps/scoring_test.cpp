#include "apps/scoring.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(ScoreCsv, HeaderNamesEveryColumn) {
  EXPECT_EQ(score_csv_header(1), "path,class,probability,error\n");
  EXPECT_EQ(score_csv_header(3), "path,class,probability,class_2,probability_2,class_3,probability_3,error\n");
}

TEST(ScoreCsv, ARowHasItsClassesOrItsErrorInAsManyColumns) {
  EXPECT_EQ(score_csv_row({.path = "a.jpg", .top = {{"cat", 0.75}, {"dog", 0.25}}, .error = {}}, 2),
            "a.jpg,cat,0.750000,dog,0.250000,\n");
  EXPECT_EQ(score_csv_row({.path = "b.jpg", .top = {}, .error = "is empty"}, 2), "b.jpg,,,,,is empty\n");
}

TEST(ScoreCsv, OddNamesAreQuoted) {
  EXPECT_EQ(score_csv_row({.path = "a, \"b\".jpg", .top = {{"x\ny", 1}}, .error = {}}, 1),
            "\"a, \"\"b\"\".jpg\",\"x\ny\",1.000000,\n");
}

}  // namespace
}  // namespace resflow
