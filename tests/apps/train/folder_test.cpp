#include "apps/train/folder.h"

#include <gtest/gtest.h>

#include <limits>

#include "io/core/error.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(RunFolder, HistoryReadsBackToTheBit) {
  const TemporaryFolder folder;
  const RunFolder run(folder / "run", RunFolder::Open::kNew);
  const double third = 1.0 / 3;
  run.write_history({{.epoch = 1,
                      .train_loss = third,
                      .train_accuracy = 0.5,
                      .val_loss = std::numeric_limits<double>::quiet_NaN(),
                      .val_accuracy = std::numeric_limits<double>::quiet_NaN(),
                      .learning_rate = 1e-3,
                      .seconds = 1.23456,
                      .left_out = {.unreadable = 3, .broken = 4}}});
  EXPECT_EQ(read_text(run.history()),
            "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,unreadable,broken\n"
            "1,0.3333333333333333,0.5,,,0.001,1.235,3,4\n");
  EXPECT_EQ(std::stod("0.3333333333333333"), third);
}

TEST(RunFolder, OneRunIsNotTakenForAnother) {
  const TemporaryFolder folder;
  EXPECT_THROW(RunFolder(folder / "run", RunFolder::Open::kResume), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  write_text(folder / "run/last.resflow", "x");
  EXPECT_THROW(RunFolder(folder / "run", RunFolder::Open::kNew), Error);
  EXPECT_NO_THROW(RunFolder(folder / "run", RunFolder::Open::kResume));
}

TEST(RunFolder, ClearTakesEarlierGenerationsTooAndNothingElse) {
  const TemporaryFolder folder;
  for (const char* file : {"last.resflow", "last.resflow.1", "last.resflow.3", "best.resflow", "history.csv", "notes",
                           "last.resflow.x", "tensorboard/events"})
    write_text(folder / (std::string("run/") + file), "x");
  RunFolder(folder / "run", RunFolder::Open::kOverwrite).clear_former();
  for (const char* file : {"run/last.resflow", "run/notes", "run/last.resflow.x"})
    EXPECT_TRUE(std::filesystem::exists(folder / file)) << file;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "run"), {}), 3);
}

TEST(RunFolder, HasOneOwner) {
  const TemporaryFolder folder;
  {
    const RunFolder first(folder / "run", RunFolder::Open::kNew);
    for (const auto how : {RunFolder::Open::kNew, RunFolder::Open::kOverwrite})
      expect_error(ErrorKind::kUsage, {folder / "run", "is in use by process " + std::to_string(::getpid()), "since"},
                   [&] { const RunFolder second(folder / "run", how); });
    const RunFolder copy = first;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder / "run"));
  const RunFolder next(folder / "run", RunFolder::Open::kNew);
}

TEST(RunFolder, WhatAKilledRunHadBegunToWriteGoes) {
  const TemporaryFolder folder;
  write_text(folder / "run/last.resflow", "x");
  for (const char* file : {"last.resflow", "best.resflow", "config.toml"})
    write_text(folder / (std::string("run/") + file + ".4711-0123abcd.partial"), "half");
  std::filesystem::create_directory(folder / "run/history.csv");
  { const RunFolder run(folder / "run", RunFolder::Open::kResume); }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "run"), {}), 2);
}

TEST(RunFolder, AGenerationAloneIsARun) {
  const TemporaryFolder folder;
  write_text(folder / "run/last.resflow.2", "x");
  expect_error(ErrorKind::kUsage, {"holds a run already"}, [&] { RunFolder(folder / "run", RunFolder::Open::kNew); });
  EXPECT_TRUE(holds_run(folder / "run/"));
  EXPECT_EQ(saved_states(folder / "run"), (std::vector<std::string>{folder / "run/last.resflow.2"}));
  write_text(folder / "run/last.resflow.1", "x");
  write_text(folder / "run/last.resflow", "x");
  EXPECT_EQ(saved_states(folder / "run"),
            (std::vector<std::string>{folder / "run/last.resflow", folder / "run/last.resflow.1",
                                      folder / "run/last.resflow.2"}));
}

TEST(RunFolder, WhatNoRunMadeIsSaidBeforeAnythingIsTouched) {
  const TemporaryFolder folder;
  write_text(folder / "run/last.resflow", "x");
  write_text(folder / "run/report.html/mine", "x");
  expect_error(ErrorKind::kUsage, {"overwrite", folder / "run/report.html", "is a folder"},
               [&] { RunFolder(folder / "run", RunFolder::Open::kOverwrite); });
  EXPECT_EQ(read_text(folder / "run/report.html/mine"), "x");
}

}  // namespace
}  // namespace resflow
