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
#include "tests/io/expect_error.h"
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
  bool last_can_be_best() const override { return in_last; }
  bool can_be_saved() const override { return true; }
  bool prepare() override {
    asked.emplace_back("prepare");
    return prepares;
  }
  std::optional<Epoch> train_epoch() override {
    asked.emplace_back("train");
    if (run_.state.epoch == fails_in) throw system_error("the machine failed");
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
  int64_t fails_in = -1;
  bool in_last = false;
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

TEST_F(TrainLoop, SavesTheRunFirstWhereTheBestModelIsInIt) {
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  mode.in_last = true;
  train_epochs(run, mode, 3);
  EXPECT_THAT(mode.asked, ElementsAre("begin", "last", "prepare", "train", "keep", "last", "best", "train", "last",
                                      "train", "keep", "last", "best"));
}

TEST_F(TrainLoop, ABestModelThatAKillLeftBehindIsWrittenWhenTheRunGoesOn) {
  {
    resflow::Run run = open();
    MadeUpMode mode(run, {0.25, 0.5, 0.25});
    mode.in_last = true;
    heard_.left = 2;
    train_epochs(run, mode, 3);
  }
  const std::string best = folder_ / "run/best.resflow", whole = read_text(best);
  fs::remove(best);
  options_.resume = true;
  heard_.left = 1000;
  {
    resflow::Run run = open();
    MadeUpMode mode(run, {0.25, 0.5, 0.25});
    mode.in_last = true;
    train_epochs(run, mode, 2);
    EXPECT_THAT(mode.asked, ElementsAre("keep", "best"));
    EXPECT_TRUE(read_text(best) == whole);
  }
  resflow::Run run = open();
  MadeUpMode mode(run, {0.25, 0.5, 0.25});
  mode.in_last = true;
  train_epochs(run, mode, 2);
  EXPECT_TRUE(mode.asked.empty()) << "it is not behind any more";
}

TEST_F(TrainLoop, WhatARunCanDoWithoutWarnsOnce) {
  resflow::Run run = open();
  fs::create_directories(folder_ / "run/history.csv/x");
  write_text(folder_ / "run/tensorboard", "no folder");
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  EXPECT_TRUE(train_epochs(run, mode, 3).finished);
  EXPECT_EQ(run.state.epoch, 3);
  EXPECT_EQ(load_checkpoint(folder_ / "run/last.resflow").training.epoch, 3);
  const std::string heard = "\n" + heard_.warnings();
  for (const char* what : {"\nhistory.csv: ", "\nTensorBoard: "}) {
    const size_t at = heard.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    EXPECT_EQ(heard.find(what, at + 1), std::string::npos) << what;
  }
  EXPECT_THAT(heard, HasSubstr("the run goes on without it"));
}

TEST_F(TrainLoop, WhatWasTrainedIsSavedWhereTheMachineFails) {
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  mode.pause = 3600;
  mode.fails_in = 2;
  expect_error(ErrorKind::kSystem, {"the machine failed", "saved in", "last.resflow", "go on with resume"},
               [&] { train_epochs(run, mode, 3); });
  EXPECT_EQ(load_checkpoint(folder_ / "run/last.resflow").training.epoch, 2);
}

TEST_F(TrainLoop, OverwriteTakesNothingAwayBeforeTheNewRunIsSaved) {
  class Unsaved : public MadeUpMode {
   public:
    using MadeUpMode::MadeUpMode;
    Checkpoint last() override { throw system_error("the disk is full"); }
  };
  const std::vector<std::string> former = {"last.resflow", "last.resflow.1", "best.resflow", "history.csv"};
  for (const std::string& file : former) write_text(folder_ / "run/" + file, file);
  options_.overwrite = true;
  {
    resflow::Run run = open();
    Unsaved mode(run, {});
    EXPECT_THROW(train_epochs(run, mode, 3), Error);
  }
  for (const std::string& file : former) EXPECT_EQ(read_text(folder_ / "run/" + file), file);
  resflow::Run run = open();
  MadeUpMode mode(run, {0.5, 0.25, 0.75});
  train_epochs(run, mode, 0);
  EXPECT_FALSE(there("last.resflow.1") || there("best.resflow"));
}

TEST_F(TrainLoop, OfADamagedRunTheGenerationBeforeIsTakenAloud) {
  {
    resflow::Run run = open();
    MadeUpMode mode(run, {0.25, 0.5, 0.75});
    train_epochs(run, mode, 3);
  }
  const std::string last = folder_ / "run/last.resflow";
  std::string damaged = read_text(last);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  write_text(last, damaged);
  options_.resume = true;
  {
    resflow::Run run = open();
    EXPECT_EQ(run.state.epoch, 2);
    EXPECT_THAT(heard_.warnings(), HasSubstr("goes on from " + last + ".1, which was saved before it"));
    EXPECT_TRUE(read_text(last + ".damaged") == damaged);
    MadeUpMode mode(run, {0.25, 0.5, 0.75});
    train_epochs(run, mode, 3);
  }
  EXPECT_EQ(load_checkpoint(last).training.epoch, 3);
  EXPECT_EQ(load_checkpoint(last + ".1").training.epoch, 2);
  // Killed where a file system has no links, there may be no last.resflow at all.
  fs::remove(last);
  EXPECT_EQ(open().state.epoch, 2);
  EXPECT_THAT(heard_.warnings(), HasSubstr("last.resflow: is not there; the run goes on from"));
  write_text(last + ".1", "no checkpoint");
  expect_error(ErrorKind::kData, {last + ".1"}, [&] { open(); });
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
