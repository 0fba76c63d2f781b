#include "apps/evaluate/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/apps/program.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Evaluate : public ::testing::Test {
 protected:
  Evaluate() {
    trained_.model = std::make_unique<Model>(ModelDescription{.architecture = "resnet18", .num_classes = 2}, compute_);
    trained_.model->initialise(1);
    trained_.classes = {"a", "b"};
    trained_.preprocessing.resize = 54;
    trained_.preprocessing.crop = 48;
    for (int i = 0; i < 6; ++i) {
      const std::string path = folder_ / (std::to_string(i) + ".jpg");
      testing::write_text(path, i == 3 ? "no picture" : testing::photo_bytes(i % 3, 5));
      samples_.push_back({path, i % 2});
    }
  }

  testing::TemporaryFolder folder_;
  Compute compute_{2};
  TrainedModel trained_;
  std::vector<Sample> samples_;
};

struct Heard : Listener {
  void progress(const ProgressState& state) override { all.push_back(state); }
  bool stop() override { return stops; }
  std::vector<ProgressState> all;
  bool stops = false;
};

TEST_F(Evaluate, KeepsTheAnswerToEachPictureAndNamesTheBrokenOnes) {
  Heard heard;
  const Evaluation e = evaluate(trained_, samples_, {.batch = 2, .threads = 2}, heard);
  EXPECT_FALSE(e.stopped);
  ASSERT_EQ(e.answers.size(), 5U);
  EXPECT_THAT(e.answered, ElementsAre(0, 1, 2, 4, 5));
  EXPECT_EQ(&e.sample(3), &samples_[4]);
  for (size_t i = 0; i < 5; ++i) {
    const Answer& answer = e.answers[i];
    EXPECT_EQ(answer.label, e.sample(i).label);
    const float other = answer.said == answer.label ? 1 - answer.said_probability : answer.label_probability;
    EXPECT_NEAR(answer.said_probability + other, 1, 1e-6);
    EXPECT_EQ(answer.before, answer.said == answer.label ? 0 : 1);
  }
  ASSERT_EQ(e.broken.size(), 1U);
  EXPECT_EQ(e.broken[0].sample, 3);
  EXPECT_EQ(e.broken[0].name, samples_[3].path);
  EXPECT_THAT(e.broken[0].reason, ::testing::Not(HasSubstr(samples_[3].path)));
  ASSERT_EQ(heard.all.size(), 7U);  // when it begins, and after each picture
  EXPECT_EQ(heard.all.back().done, 6);
  EXPECT_EQ(heard.all.back().total, 6);
  EXPECT_EQ(heard.all.back().label, "evaluating");
}

TEST_F(Evaluate, StopsWhereItIsAskedTo) {
  Heard heard;
  heard.stops = true;
  const Evaluation e = evaluate(trained_, samples_, {.batch = 2, .threads = 2}, heard);
  EXPECT_TRUE(e.stopped);
  EXPECT_LT(e.answers.size() + e.broken.size(), 6U);
}

}  // namespace
}  // namespace resflow
