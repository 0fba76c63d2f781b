#include "apps/evaluate/metrics_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resflow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// One right answer and one wrong one.
Evaluation two_answers() {
  Evaluation e;
  e.classes = {"cat", "big, \"dog\""};
  e.probabilities = ProbabilityTable(2);
  e.samples = {{"a/1.jpg", 0}, {"b,2.jpg", 1}};
  e.probabilities.add(std::vector<double>{0.75, 0.25});
  e.probabilities.add(std::vector<double>{0.625, 0.375});
  e.broken = {{.sample = 2, .reason = "is truncated, badly", .name = "c.jpg"}};
  return e;
}

TEST(PredictionsCsv, HasARowForEachPictureAndTheBrokenOnesLast) {
  EXPECT_EQ(predictions_csv(two_answers()),
            "path,label,class,probability,label_probability,right,error\n"
            "a/1.jpg,cat,cat,0.750000,0.750000,1,\n"
            "\"b,2.jpg\",\"big, \"\"dog\"\"\",cat,0.625000,0.375000,0,\n"
            "c.jpg,,,,,,\"is truncated, badly\"\n");
}

TEST(MetricsText, ShowsAllOfFewClassesAndTheWeakestOfMany) {
  const Evaluation e = two_answers();
  const std::string text = metrics_text(classification_metrics(e.labels(), e.probabilities), e.classes);
  EXPECT_THAT(text, HasSubstr("accuracy   50.00 %, 1 of 2 right"));
  EXPECT_THAT(text, Not(HasSubstr("top 5")));
  EXPECT_THAT(text, HasSubstr("confused   big, \"dog\" said to be cat (1)"));
  EXPECT_THAT(text, HasSubstr("\ncat "));

  // Of 60 classes the first 30 have a picture, and of those the second half are mistaken for class 0.
  Evaluation many;
  many.probabilities = ProbabilityTable(60);
  for (int k = 0; k < 60; ++k) many.classes.push_back("class-" + std::to_string(k));
  for (int k = 0; k < 30; ++k) {
    std::vector<double> row(60);
    row[k < 15 ? static_cast<size_t>(k) : 0] = 1;
    many.samples.push_back({"x.jpg", k});
    many.probabilities.add(row);
  }
  const std::string weakest = metrics_text(classification_metrics(many.labels(), many.probabilities), many.classes);
  EXPECT_THAT(weakest, HasSubstr("weakest 20 classes"));
  EXPECT_THAT(weakest, HasSubstr("top 5"));
  EXPECT_THAT(weakest, HasSubstr("class-29 "));
  EXPECT_THAT(weakest, Not(HasSubstr("class-10 ")));  // all of it right
  EXPECT_THAT(weakest, Not(HasSubstr("class-40 ")));  // has no pictures
}

}  // namespace
}  // namespace resflow
