// The loop over epochs, with a mode that trains nothing.
//
// Covers: apps/train/lines
#include "apps/train/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "apps/train/lines.h"
#include "io/core/error.h"
#include "tests/apps/program.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Asks to stop once it was asked `left` times.
class Stopping : public HeardSentences {
 public:
  bool stop() override { return left-- <= 0; }
  int left = 1000;
};

// Its epochs have the accuracies that it is given. It writes down what the loop asks of it.
class MadeUpMode : public TrainingMode {
 public:
  MadeUpMode(resflow::Run& run, std::vector<double> accuracies)
      : TrainingMode(run), accuracies_(std::move(accuracies)) {}

  void begin() override { asked.emplace_back("begin"); }
  bool prepare() override {
    asked.emplace_back("prepare");
    return prepares;
  }
  std::optional<Epoch> train_epoch() override {
    asked.emplace_back("train");
    const double accuracy = accuracies_.at(static_cast<size_t>(run_.state.epoch));
    return Epoch{.record = {.epoch = run_.state.epoch + 1, .val_loss = 1, .val_accuracy = accuracy},
                 .images_per_second = 1};
  }
  void keep_best() override { asked.emplace_back("keep"); }
  Checkpoint best() override {
    asked.emplace_back("best");
    return checkpoint(run_);
  }
  Checkpoint last() override {
    asked.emplace_back("last");
    Checkpoint c = checkpoint(run_);
    c.optimizer_name = "made up";
    return c;
  }
  double seconds_between_savings() const override { return pause; }
  std::string epoch_line(const EpochRecord& record, bool is_best) const override {
    return resflow::epoch_line(run_, record, is_best, 0);
  }
  std::string stopped_line() const override { return stopped_after_epoch_line(run_); }

  std::vector<std::string> asked;
  double pause = 0;
  bool prepares = true;

 private:
  std::vector<double> accuracies_;
};

class TrainLoop : public ::testing::Test {
 protected:
  TrainLoop() {
    draw_photos(folder_ / "photos", 2, 2);
    data_ = std::make_shared<const TrainingData>(load_training_data(folder_ / "photos", folder_ / "photos", silent()));
    options_.data = folder_ / "photos";
    options_.out = folder_ / "run";
    options_.model = "resnet18";
    options_.image_size = 32;
    options_.batch = 2;
    options_.threads = 1;
    options_.epochs = 3;
  }

  resflow::Run open() { return open_run(resolved(options_), data_, heard_); }
  bool there(const std::string& file) const { return fs::exists(folder_ / "run/" + file); }

  const TemporaryFolder folder_;
  std::shared_ptr<const TrainingData> data_;
  TrainOptions options_;
  Stopping heard_;
};

TEST_F(TrainLoop, SavesTheBestModelFirstAndTheLastOneLast) {
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  const TrainingOutcome outcome = train_epochs(run, mode, 3);
  EXPECT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.records.size(), 3U);
  EXPECT_THAT(mode.asked, ElementsAre("begin", "last", "prepare", "train", "keep", "best", "last", "train", "last",
                                      "train", "keep", "best", "last"));
  EXPECT_EQ(run.state.best_val_accuracy, 0.75);
  for (const char* file : {"last.resflow", "best.resflow", "history.csv", "config.toml", "tensorboard"})
    EXPECT_TRUE(there(file)) << file;
  EXPECT_THAT(heard_.lines(), HasSubstr("epoch 1/3  train loss 0.0000 accuracy 0.0000  validation loss 1.0000 accuracy "
                                        "0.5000 (best)  0 s\nepoch 2/3"));
}

TEST_F(TrainLoop, SavesEveryNowAndThenAndAtTheEnd) {
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  mode.pause = 3600;
  train_epochs(run, mode, 3);
  EXPECT_THAT(mode.asked,
              ElementsAre("begin", "last", "prepare", "train", "keep", "train", "train", "keep", "best", "last"));
}

TEST_F(TrainLoop, StopsWhereItIsAskedToAndGoesOnWhenResumed) {
  {
    resflow::Run run = open();
    heard_.left = 1;
    MadeUpMode mode(run, {0.5, 0.25, 0.75});
    EXPECT_FALSE(train_epochs(run, mode, 3).finished);
    EXPECT_THAT(heard_.lines(), HasSubstr("stopped after epoch 1 of 3; saved in "));
    EXPECT_THAT(heard_.lines(), HasSubstr(": go on with resume"));
  }
  EXPECT_THROW(open(), Error) << "the folder holds a run";
  options_.resume = true;
  heard_.left = 1000;
  resflow::Run run = open();
  EXPECT_EQ(run.state.epoch, 1);
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  EXPECT_TRUE(train_epochs(run, mode, 3).finished);
  EXPECT_THAT(mode.asked, ElementsAre("prepare", "train", "last", "train", "keep", "best", "last"));
  MadeUpMode again(run, {});
  EXPECT_TRUE(train_epochs(run, again, 3).finished);
  EXPECT_TRUE(again.asked.empty());
  EXPECT_THAT(heard_.lines(), HasSubstr("the run has its 3 epochs already; more with epochs N"));
}

TEST_F(TrainLoop, WhatCannotBePreparedIsNotTrained) {
  resflow::Run run = open();
  MadeUpMode mode(run, {});
  mode.prepares = false;
  EXPECT_FALSE(train_epochs(run, mode, 3).finished);
  EXPECT_THAT(mode.asked, ElementsAre("begin", "last", "prepare"));
  EXPECT_FALSE(there("tensorboard"));
}

TEST_F(TrainLoop, EndsEarlyWhereItGetsNoBetter) {
  options_.early_stop = 1;
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  EXPECT_TRUE(train_epochs(run, mode, 3).finished);
  EXPECT_EQ(run.state.epoch, 2);
  EXPECT_THAT(heard_.lines(),
              HasSubstr("stopped    after epoch 2: no better validation accuracy in 1 epoch (early_stop)"));
}

}  // namespace
}  // namespace resflow::testing
