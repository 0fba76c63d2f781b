#include "apps/report/run_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "graph/model/model.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/support/stops_after.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class WriteRunReport : public ::testing::Test {
 protected:
  WriteRunReport() {
    draw_photos(folder_ / "set/train", 3, 4);
    write_text(folder_ / "set/train/net/broken.jpg", "no picture");
    fs::copy(folder_ / "set/train", folder_ / "set/val", fs::copy_options::recursive);
    data_ = load_training_data(folder_ / "set", "", silent());
    // A model with random values: what it says does not matter here.
    Checkpoint c;
    c.model = {.architecture = "resnet18", .num_classes = 3};
    Model model(c.model, compute_);
    model.initialise(3);
    c.parameters = model.state();
    c.classes = {"fence", "net", "pebbles"};
    c.preprocessing.resize = 54;
    c.preprocessing.crop = 48;
    for (int64_t epoch = 1; epoch <= 3; ++epoch)
      c.training.history.push_back(
          {.epoch = epoch, .train_loss = 1, .val_loss = 1, .val_accuracy = epoch == 2 ? 0.9 : 0.5});
    save_checkpoint(c, folder_ / "m.resflow");
    run_ = {.best = folder_ / "m.resflow",
            .data = &data_,
            .history = c.training.history,
            .configuration = {{"--lr", "0.5"}},
            .batch = 4,
            .threads = 2,
            .out = folder_ / "report.html"};
    run_.times.add("backward", 2, 3);
  }

  TemporaryFolder folder_;
  Compute compute_{2};
  TrainingData data_;
  RunReport run_;
};

TEST_F(WriteRunReport, EvaluatesTheBestModelOnItsValidationPictures) {
  ASSERT_TRUE(write_run_report(run_, compute_, silent()));
  std::string page = read_text(folder_ / "report.html");
  for (const char* words :
       {"resnet18 trained on", "of 12 pictures in", "best: 2", "backward", "0.5", "Files that could"})
    EXPECT_THAT(page, HasSubstr(words));

  data_.val = {};
  for (EpochRecord& record : run_.history) record.val_loss = record.val_accuracy = std::nan("");
  ASSERT_TRUE(write_run_report(run_, compute_, silent()));
  page = read_text(folder_ / "report.html");
  EXPECT_THAT(page, HasSubstr("There were no validation pictures"));
  EXPECT_THAT(page, Not(HasSubstr("best: ")));
}

TEST_F(WriteRunReport, WritesNothingWhereItIsAskedToStop) {
  StopsAfter listener(0);
  EXPECT_FALSE(write_run_report(run_, compute_, listener));
  EXPECT_FALSE(fs::exists(run_.out));
  EXPECT_EQ(listener.last.label, "report");
}

TEST(BestEpoch, IsTheFirstOfEqualOnes) {
  EXPECT_EQ(best_epoch({}), 0);
  EXPECT_EQ(
      best_epoch(
          {{.epoch = 1, .val_accuracy = 0.5}, {.epoch = 2, .val_accuracy = 0.7}, {.epoch = 3, .val_accuracy = 0.7}}),
      2);
}

}  // namespace
}  // namespace resflow::testing
