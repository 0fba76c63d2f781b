// Several trainings one after another, of which one is the last when the listener asks to stop. What they come to is in
// tests/apps/train_recipe_test.cpp.
#include "apps/train/repeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "apps/data/training_data.h"
#include "tests/apps/program.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// Asks to stop once it has heard a line that begins so.
class StopsAtLine : public HeardSentences {
 public:
  explicit StopsAtLine(std::string line) : line_(std::move(line)) {}
  void say(const std::string& line) override {
    HeardSentences::say(line);
    stop_ = stop_ || line.starts_with(line_);
  }
  bool stop() override { return stop_; }

 private:
  std::string line_;
  bool stop_ = false;
};

TEST(TrainRepeatedly, AStopBetweenTwoRunsBeginsNoOther) {
  const TemporaryFolder folder;
  draw_photos(folder / "photos", 2, 4);
  TrainOptions o;
  o.data = folder / "photos";
  o.out = folder / "run";
  o.model = "resnet18";
  o.image_size = 48;
  o.batch = 4;
  o.epochs = 1;
  o.folds = 2;
  o.threads = 2;
  StopsAtLine listener("report ");  // the last line of a run
  EXPECT_FALSE(train_repeatedly(o, plan_runs(o), load_training_data(o.data, "", silent()), listener));
  EXPECT_TRUE(fs::exists(folder / "run/fold-1/best.resflow"));
  EXPECT_TRUE(fs::exists(folder / "run/runs.csv"));
  EXPECT_FALSE(fs::exists(folder / "run/fold-2"));
  EXPECT_THAT(listener.lines(), HasSubstr("after fold-1, 1 of 2 runs: go on with resume"));
  EXPECT_THAT(listener.lines(), Not(HasSubstr("fold-2")));

  o.resume = true;
  HeardSentences heard;
  EXPECT_TRUE(train_repeatedly(o, plan_runs(o), load_training_data(o.data, "", silent()), heard));
  EXPECT_THAT(heard.lines(), HasSubstr("best epoch"));
}

}  // namespace
}  // namespace resflow::testing
