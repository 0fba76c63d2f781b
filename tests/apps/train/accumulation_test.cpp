// Training with accumulated gradients, stopped after any batch: the run that goes on gives the bits of the one that was
// never stopped.
//
// Covers: graph/train/update_group
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "apps/data/training_data.h"
#include "apps/train/training.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"
#include "tests/support/stops_after.h"

namespace resflow::testing {
namespace {

class UpdateGroupTest : public ::testing::Test {
 protected:
  UpdateGroupTest() {
    draw_photos(folder_ / "photos", 2, 11);
    data_ = std::make_shared<const TrainingData>(load_training_data(folder_ / "photos", "", silent()));
  }

  // 22 pictures in batches of 4: six, in two groups of three; the last batch has two.
  TrainOptions options(const std::string& out, bool resume) const {
    TrainOptions o;
    o.data = folder_ / "photos";
    o.out = folder_ / out;
    o.model = "resnet18";
    o.image_size = 48;
    o.batch = 4;
    o.accumulate = 3;
    o.epochs = 1;
    o.ema = 0.8;
    o.threads = 2;
    o.resume = resume;
    return resolved(o);
  }

  TrainingOutcome train_into(const std::string& out, bool resume, Listener& listener) const {
    return train(options(out, resume), data_, listener);
  }

  TemporaryFolder folder_;
  std::shared_ptr<const TrainingData> data_;
};

TEST_F(UpdateGroupTest, AStopWithinAGroupGoesBackToItsBeginning) {
  ASSERT_TRUE(train_into("whole", false, silent()).finished);
  for (const auto& [pictures, next_batch] : {std::pair{8, 0}, {12, 3}, {16, 3}}) {
    SCOPED_TRACE(pictures);
    const std::string out = "stopped-" + std::to_string(pictures);
    StopsAfter listener(pictures);
    const TrainingOutcome stopped = train_into(out, false, listener);
    EXPECT_FALSE(stopped.finished);
    EXPECT_EQ(listener.last.done, pictures) << "within one batch";
    const TrainingState at = cursor(folder_ / out);
    EXPECT_EQ(at.next_batch, next_batch);
    EXPECT_EQ(at.step, next_batch / 3);
    EXPECT_EQ(at.epoch_samples, next_batch * 4);
    ASSERT_TRUE(train_into(out, true, silent()).finished);
    expect_same_run(folder_ / "whole", folder_ / out);
  }
}

}  // namespace
}  // namespace resflow::testing
