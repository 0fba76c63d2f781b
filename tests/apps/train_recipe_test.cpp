// resflow train with what a recipe can have besides a rate: average, clipping, accumulation, one cycle; its
// configuration file; several runs at once; the search for a rate.
//
// Covers: apps/data/folds
// Covers: apps/train/lr_find apps/train/repeats
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "apps/train/lr_find.h"
#include "apps/train/repeats.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TrainRecipe : public ::testing::Test {
 protected:
  TrainRecipe() {
    draw_photos(data_, 2, 11);
    draw_photos(val_, 2, 3, 500);
  }

  // 22 pictures in batches of 4: six, the last one of two.
  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"train", data_,     "--val",    val_,           "--out", folder_ / out, "--batch",
                                    "4",     "--model", "resnet18", "--image-size", "48",    "--threads",   "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  ProcessResult train(const std::string& out, const std::vector<std::string>& more) const {
    return resflow(arguments(out, more));
  }
  Checkpoint last(const std::string& run) const { return load_checkpoint(folder_ / run + "/last.resflow"); }

  const TemporaryFolder folder_;
  const std::string data_ = folder_ / "photos", val_ = folder_ / "val";
};

const std::vector<std::string> kEverything = {
    "--epochs",    "3",          "--save-every",      "1",    "--accumulate", "2",           "--ema",
    "0.8",         "--schedule", "onecycle",          "--lr", "0.01",         "--optimizer", "sgd",
    "--clip-norm", "1",          "--label-smoothing", "0.1"};

TEST_F(TrainRecipe, KilledAtAnyMomentAndResumedItGivesTheBitsOfTheUninterruptedRun) {
  ASSERT_EQ(train("whole", kEverything).exit_code, 0);
  EXPECT_EQ(last("whole").training.step, 9) << "three updates an epoch, each of two batches";
  const std::string run = folder_ / "parts";
  for (const int64_t step : {2, 5, 7}) {  // with updates begun and not ended
    std::vector<std::string> all = arguments("parts", kEverything);
    if (step > 2) all = {"train", data_, "--val", val_, "--out", run, "--resume"};
    RunningProgram program(all, folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return cursor(run).step >= step; })) << read_text(folder_ / "log");
    program.send(step == 5 ? SIGUSR1 : SIGKILL);
    program.wait();
    EXPECT_EQ(cursor(run).next_batch % 2, 0) << "between two updates nothing is saved";
  }
  const ProcessResult longer = resflow({"train", data_, "--val", val_, "--out", run, "--resume", "--epochs", "4"});
  EXPECT_THAT(longer.err, HasSubstr("--epochs was 3 and is part of --schedule onecycle, now 4"));
  const ProcessResult resumed = resflow({"train", data_, "--val", val_, "--out", run, "--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_same_run(folder_ / "whole", run);
}

TEST_F(TrainRecipe, TheBestModelIsTheAverageAndTheLastOneIsNot) {
  const ProcessResult run = train("run", {"--epochs", "1", "--ema", "0.9", "--lr", "0.001"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("of the average, decay 0.9"));
  const Checkpoint last_one = last("run"), best = load_checkpoint(folder_ / "run/best.resflow");
  size_t averages = 0;
  for (const NamedArray& value : last_one.optimizer) {
    if (!value.name.ends_with("/ema")) continue;
    ++averages;
    const std::string name = value.name.substr(0, value.name.size() - 4);
    const auto find = [&](const Checkpoint& c) {
      return *std::find_if(c.parameters.begin(), c.parameters.end(),
                           [&](const NamedArray& p) { return p.name == name; });
    };
    EXPECT_EQ(find(best).array, value.array) << name;
    EXPECT_NE(find(last_one).array, value.array) << name;
  }
  EXPECT_EQ(averages, 102U);  // 122 without the counts of its 20 batch norms
}

TEST_F(TrainRecipe, ItsConfigurationFileRepeatsARun) {
  ASSERT_EQ(train("first", kEverything).exit_code, 0);
  const std::string config = folder_ / "first/config.toml";
  for (const char* line : {"accumulate = 2\n", "ema = 0.8\n", "schedule = \"onecycle\"\n", "seed = 0\n", "lr = 0.01\n"})
    EXPECT_THAT(read_text(config), HasSubstr(line));
  const ProcessResult again = resflow({"train", "--config", config, "--out", folder_ / "again"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_run(folder_ / "first", folder_ / "again");
  EXPECT_EQ(read_text(folder_ / "again/config.toml"), read_text(config));
  // The command line goes before.
  const ProcessResult other =
      resflow({"train", "--config", config, "--out", folder_ / "other", "--schedule", "none", "--epochs", "1"});
  ASSERT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(last("other").training.epoch, 1);
}

TEST_F(TrainRecipe, AConfigurationThatIsNoneIsRefusedWithItsLine) {
  const auto refusal = [&](const std::string& text) {
    write_text(folder_ / "c.toml", text);
    const ProcessResult result = resflow({"train", data_, "--config", folder_ / "c.toml", "--out", folder_ / "no"});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "no"));
    return result.err;
  };
  EXPECT_THAT(refusal("batch = 4\nbatchsize = 4\n"), HasSubstr("c.toml:2: batchsize is no option of train"));
  EXPECT_THAT(refusal("\nbatch = \"many\"\n"), HasSubstr("c.toml:2: batch: "));
  // A byte order mark is no part of the first line.
  EXPECT_THAT(refusal("\xEF\xBB\xBF"
                      "batch = 0"),
              HasSubstr("--batch is 0"));
  EXPECT_THAT(refusal("batch 4"), HasSubstr("c.toml:1: is no TOML"));
  EXPECT_THAT(refusal("batch = {a = 1}"), HasSubstr("c.toml:1: batch wanted a number"));
  EXPECT_THAT(refusal("batch = 0"), HasSubstr("--batch is 0"));
  EXPECT_THAT(refusal("step-size = 3"), HasSubstr("--step-size goes with --schedule step, not none"));
  EXPECT_THAT(resflow({"train", data_, "--config", folder_ / "none.toml"}).err, HasSubstr("none.toml: cannot be read"));
  EXPECT_THAT(resflow({"train"}).err, HasSubstr("DATA is required"));
}

TEST_F(TrainRecipe, FoldsAreRunsOfTheirOwnThatGoOnAfterAKill) {
  const std::vector<std::string> options = {"train",     data_,      "--out",        folder_ / "folds",
                                            "--model",   "resnet18", "--image-size", "48",
                                            "--threads", "2",        "--batch",      "5",
                                            "--epochs",  "1",        "--folds",      "3",
                                            "--lr",      "1e-4"};
  const std::string second = folder_ / "folds/fold-2";
  {
    RunningProgram program(options, folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(second + "/last.resflow"); })) << read_text(folder_ / "log");
    program.send(SIGKILL);
    program.wait();
  }
  const std::string first_model = read_text(folder_ / "folds/fold-1/last.resflow");
  auto resumed = options;
  resumed.emplace_back("--resume");
  const ProcessResult rest = resflow(resumed);
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(read_text(folder_ / "folds/fold-1/last.resflow"), first_model) << "what is done is not done again";
  EXPECT_THAT(rest.out, HasSubstr("accuracy over 3 folds"));
  std::vector<double> accuracies;
  for (int fold = 1; fold <= 3; ++fold)
    accuracies.push_back(last(fmt::format("folds/fold-{}", fold)).training.history.at(0).val_accuracy);
  const Spread spread = spread_of(accuracies);
  EXPECT_THAT(rest.out, HasSubstr(fmt::format("last epoch  {:.4f} +- {:.4f}", spread.mean, spread.deviation)));
  const std::string csv = read_text(folder_ / "folds/runs.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
}

TEST_F(TrainRecipe, RepeatedRunsDifferInTheirSeedAlone) {
  const ProcessResult runs = train("seeds", {"--epochs", "1", "--repeat", "2", "--seed", "5"});
  ASSERT_EQ(runs.exit_code, 0) << runs.err;
  ASSERT_EQ(train("six", {"--epochs", "1", "--seed", "6"}).exit_code, 0);
  expect_same_run(folder_ / "six", folder_ / "seeds/seed-6");
  EXPECT_EQ(last("seeds/seed-5").training.seed, 5U);
  const ProcessResult blind = resflow({"train", data_, "--out", folder_ / "blind", "--repeat", "2", "--batch", "4"});
  EXPECT_EQ(blind.exit_code, 2);
  EXPECT_THAT(blind.err, HasSubstr("--repeat compares accuracies of validation"));
}

TEST_F(TrainRecipe, TheSearchForARateLeavesItsPointsAndNoRun) {
  const ProcessResult run = train("find", {"--lr-find", "--optimizer", "sgd"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("steepest   "));
  const std::string csv = read_text(folder_ / "find/lr-find.csv");
  EXPECT_THAT(csv, ::testing::StartsWith("lr,loss,smoothed_loss\n1e-07,"));
  EXPECT_GT(std::count(csv.begin(), csv.end(), '\n'), 20);
  EXPECT_FALSE(fs::exists(folder_ / "find/last.resflow"));
  EXPECT_EQ(train("find", {"--epochs", "1"}).exit_code, 0) << "the folder is free for a run";
}

TEST(LrAdvice, IsWhereTheLossFallsFastest) {
  std::vector<LrFindPoint> points;
  for (int i = 0; i <= 80; ++i) {
    const double decade = -7 + i * 0.1;
    // Falls around 1e-3, is lowest at 1e-1, rises steeply after it.
    const double loss = 2 - 1 / (1 + std::exp(-3 * (decade + 3))) + (decade > -1 ? 5 * (decade + 1) : 0);
    points.push_back({.lr = std::pow(10, decade), .loss = loss, .smoothed = loss});
  }
  EXPECT_NEAR(std::log10(advise(points).steepest), -3, 0.11);
  EXPECT_NEAR(std::log10(advise(points).lowest_tenth), -2, 0.11);
  for (LrFindPoint& point : points) point.smoothed = point.lr;
  EXPECT_EQ(advise(points).steepest, 0) << "a loss that never falls has no such place";
}

TEST(Spread, IsMeanAndSampleDeviation) {
  EXPECT_DOUBLE_EQ(spread_of({1, 2, 3, 4}).mean, 2.5);
  EXPECT_NEAR(spread_of({1, 2, 3, 4}).deviation, 1.2909944, 1e-7);
  EXPECT_EQ(spread_of({7}).deviation, 0);
}

}  // namespace
}  // namespace resflow::testing
