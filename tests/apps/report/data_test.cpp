#include "apps/report/data.h"

#include <gtest/gtest.h>

#include "tests/apps/program.h"
#include "tests/apps/report/answers.h"

namespace resflow {
namespace {

TEST(ReportedEvaluation, MistakesAndDoubtsAreInOrder) {
  const testing::TemporaryFolder folder;
  const std::string photo = folder / "photo.jpg";
  testing::write_text(photo, testing::photo_bytes(1, 0));
  const ReportedEvaluation r = reported_evaluation(testing::answers(4, 300, photo), "d", Views::kOne);
  ASSERT_EQ(r.mistaken.size(), kReportCards);
  ASSERT_EQ(r.uncertain.size(), kReportCards);
  for (size_t i = 0; i < kReportCards; ++i) {
    EXPECT_NE(r.mistaken[i].said, r.mistaken[i].truth);
    EXPECT_TRUE(r.mistaken[i].image.starts_with("data:image/jpeg;base64,"));
    if (i == 0) continue;
    EXPECT_LE(r.mistaken[i].said_probability, r.mistaken[i - 1].said_probability);
    EXPECT_GE(r.uncertain[i].said_probability, r.uncertain[i - 1].said_probability);
  }
  EXPECT_EQ(r.mistakes, r.metrics.pictures - r.metrics.right);
}

TEST(ReportedEvaluation, SaysHowPicturesWereLookedAt) {
  const auto none = testing::answers(2, 0, "x.jpg");
  EXPECT_EQ(reported_evaluation(none, "d", Views::kOne).views, "");
  EXPECT_EQ(reported_evaluation(none, "d", Views::kFlip).views, "averaged with the mirror image");
  EXPECT_EQ(reported_evaluation(none, "d", Views::kTenCrop).views, "averaged over five crops and their mirror images");
}

// A file may have gone since it was evaluated.
TEST(ReportedEvaluation, ACardWhoseFileCannotBeReadHasNoImage) {
  const ReportedEvaluation r = reported_evaluation(testing::answers(2, 3, "absent/x.jpg"), "d", Views::kOne);
  ASSERT_EQ(r.uncertain.size(), 3U);
  EXPECT_EQ(r.uncertain[0].path, "absent/x.jpg");
  EXPECT_EQ(r.uncertain[0].image, "");
}

}  // namespace
}  // namespace resflow
