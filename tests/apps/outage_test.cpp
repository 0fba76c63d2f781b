// The program on a disk that fails, and on files that are gone for a while.
//
// Covers: apps/train/loop apps/data/unread_folders
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/data/unread_folders.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"
#include "tests/support/failing_reads.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// No other file has as many bytes.
constexpr uint32_t kBytes = 54'321;

// A photograph that takes kBytes: what is behind a JPEG's end is no part of it.
std::string marked_photo(int kind, uint64_t number) {
  std::string bytes = photo_bytes(kind, number);
  EXPECT_LT(bytes.size(), kBytes);
  bytes.resize(kBytes);
  return bytes;
}

ProcessResult on_a_failing_disk(const std::vector<std::string>& arguments, bool& able) {
  ProcessResult result;
  able = where_reads_fail(kBytes, EIO, [&] { result = resflow(arguments); });
  return result;
}

class ScoreOutage : public ::testing::Test {
 protected:
  ScoreOutage() {
    save_checkpoint(made_checkpoint(), model_);
    for (int i = 0; i < 40; ++i) write_text(photo(i), photo_bytes(i % 4, i));
  }
  std::string photo(int i) const { return data_ + "/" + std::to_string(100 + i) + ".jpg"; }
  std::vector<std::string> score(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"score", model_, data_, "--out", out, "--batch", "4", "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  nlohmann::json journal(const std::string& out) const { return nlohmann::json::parse(read_text(out + ".journal")); }
  void rename_photos(int first, int end, const std::string& from, const std::string& to) const {
    for (int i = first; i < end; ++i) fs::rename(photo(i) + from, photo(i) + to);
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "model.resflow";
};

TEST_F(ScoreOutage, ADiskThatFailsStopsTheRunWhichThenGoesOnToTheSameBytes) {
  write_text(photo(21), marked_photo(1, 21));
  const std::string whole = folder_ / "whole.csv", out = folder_ / "scores.csv";
  ASSERT_EQ(resflow(score(whole)).exit_code, 0);
  bool able = false;
  // Nothing is saved for the sake of time.
  const ProcessResult failed = on_a_failing_disk(score(out, {"--save-every", "3600"}), able);
  if (!able) GTEST_SKIP() << "no seccomp";
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_THAT(failed.err, AllOf(HasSubstr(photo(21) + ": cannot be read: Input/output error"),
                                HasSubstr("20 rows are kept: go on with --resume")));
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(journal(out).at("rows"), 20);
  EXPECT_EQ(journal(out).at("failed"), 0);
  ASSERT_EQ(resflow(score(out, {"--save-every", "3600", "--resume"})).exit_code, 0);
  EXPECT_EQ(read_text(out), read_text(whole));
}

TEST_F(ScoreOutage, ManyFilesThatAreGoneStopItUntilTheyAreBack) {
  const std::string whole = folder_ / "whole.csv", out = folder_ / "scores.csv", list = folder_ / "list";
  std::string paths;
  for (int i = 0; i < 40; ++i) paths += photo(i) + "\n";
  write_text(list, paths);
  const auto run = [&](const std::string& to, const std::vector<std::string>& more) {
    std::vector<std::string> all = {"score", model_, "--list", list, "--out", to, "--batch", "4", "--outage", "12"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  };
  ASSERT_EQ(run(whole, {}).exit_code, 0);
  rename_photos(18, 40, "", ".gone");
  const ProcessResult gone = run(out, {});
  EXPECT_EQ(gone.exit_code, 4) << gone.err;
  EXPECT_THAT(gone.err, AllOf(HasSubstr("the last 12 files in a row cannot be read"), HasSubstr(photo(18)),
                              HasSubstr("--outage 0"), HasSubstr("16 rows are kept")));
  EXPECT_FALSE(journal(out).contains("unreadable")) << "they are no errors of the rows that there are";
  rename_photos(18, 40, ".gone", "");
  ASSERT_EQ(run(out, {"--resume"}).exit_code, 0);
  EXPECT_EQ(read_text(out), read_text(whole));

  rename_photos(18, 40, "", ".gone");
  const ProcessResult all = run(out, {"--outage", "0", "--overwrite"});
  EXPECT_EQ(all.exit_code, 2) << "the option is given twice";
  const ProcessResult rows =
      resflow({"score", model_, "--list", list, "--batch", "4", "--outage", "0", "--json", folder_ / "speed.json"});
  EXPECT_EQ(rows.exit_code, 0);
  EXPECT_THAT(rows.err, AllOf(HasSubstr("warning: " + photo(18) + ": cannot be opened: No such file or directory"),
                              Not(HasSubstr(photo(19))), HasSubstr("22 files that cannot be read")));
  EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "speed.json")).at("unreadable"), 22);
}

TEST_F(ScoreOutage, RetryErrorsReadsOnlyWhatFailedAndKeepsTheRest) {
  for (const std::string ending : {"csv", "jsonl", "npz"}) {
    SCOPED_TRACE(ending);
    const std::string whole = folder_ / ("whole." + ending), out = folder_ / ("scores." + ending);
    const auto run = [&](const std::string& to, std::vector<std::string> more) {
      more.insert(more.end(), {"--errors", to + ".errors", "--embeddings", to + ".npy"});
      return resflow(score(to, more));
    };
    ASSERT_EQ(run(whole, {}).exit_code, 0);
    for (const int i : {0, 7, 8, 39}) fs::rename(photo(i), folder_ / std::to_string(i));
    for (const int i : {0, 7, 8, 39}) write_text(photo(i), "is not there yet");
    ASSERT_EQ(run(out, {}).exit_code, 0);
    ASSERT_NE(read_text(out), read_text(whole));
    for (const int i : {0, 7, 39}) fs::rename(folder_ / std::to_string(i), photo(i));
    const ProcessResult some = run(out, {"--resume", "--retry-errors"});
    EXPECT_EQ(some.exit_code, 0) << some.err;
    EXPECT_THAT(some.err, AllOf(HasSubstr("read       4 files again"), HasSubstr("scored 40 files (1 with an error)")));
    EXPECT_THAT(read_text(out + ".errors"), AllOf(HasSubstr(photo(8)), Not(HasSubstr(photo(7)))));
    fs::rename(folder_ / "8", photo(8));
    ASSERT_EQ(run(out, {"--resume", "--retry-errors"}).exit_code, 0);
    for (const char* part : {"", ".errors", ".npy"})
      EXPECT_TRUE(read_text(out + part) == read_text(whole + part)) << part;
    EXPECT_THAT(run(out, {"--resume", "--retry-errors"}).err, HasSubstr("no row of " + out + " has an error"));
  }
  EXPECT_EQ(resflow(score(folder_ / "x.csv", {"--retry-errors"})).exit_code, 2) << "without --resume";
  EXPECT_EQ(resflow(score(folder_ / "x.npy", {"--resume", "--retry-errors"})).exit_code, 2);
}

TEST_F(ScoreOutage, RetryErrorsBringsARunToItsEndFirst) {
  const std::string whole = folder_ / "whole.csv", out = folder_ / "scores.csv";
  write_text(photo(30), marked_photo(1, 30));
  ASSERT_EQ(resflow(score(whole)).exit_code, 0);
  const std::string good = read_text(photo(5));
  write_text(photo(5), "is not there yet");
  bool able = false;
  const int code = on_a_failing_disk(score(out), able).exit_code;
  if (!able) GTEST_SKIP() << "no seccomp";
  EXPECT_EQ(code, 4);
  EXPECT_EQ(journal(out).at("failed"), 1);
  write_text(photo(5), good);
  const ProcessResult done = resflow(score(out, {"--resume", "--retry-errors"}));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(read_text(out), read_text(whole));
}

TEST_F(ScoreOutage, ARetryThatIsCutShortGoesOnAndLeavesTheOldRowsUntilThen) {
  const std::string whole = folder_ / "whole.csv", out = folder_ / "scores.csv";
  ASSERT_EQ(resflow(score(whole)).exit_code, 0);
  for (int i = 0; i < 20; ++i) write_text(photo(i), "is not there yet");
  ASSERT_EQ(resflow(score(out)).exit_code, 0);
  const std::string before = read_text(out);
  for (int i = 0; i < 20; ++i) write_text(photo(i), i == 14 ? marked_photo(14 % 4, 14) : photo_bytes(i % 4, i));
  bool able = false;
  const ProcessResult cut = on_a_failing_disk(score(out, {"--resume", "--retry-errors"}), able);
  if (!able) GTEST_SKIP() << "no seccomp";
  EXPECT_EQ(cut.exit_code, 4);
  EXPECT_THAT(cut.err, HasSubstr("12 rows are kept: go on with --resume --retry-errors"));
  EXPECT_EQ(read_text(out), before);
  EXPECT_EQ(resflow(score(out)).exit_code, 2) << "a run was begun and not finished";
  EXPECT_EQ(resflow(score(out, {"--resume"})).exit_code, 2) << "it was begun with --retry-errors";
  EXPECT_EQ(read_text(out), before);
  ASSERT_EQ(resflow(score(out, {"--resume", "--retry-errors"})).exit_code, 0);
  EXPECT_EQ(read_text(out), read_text(whole));
  EXPECT_FALSE(fs::exists(out + ".journal"));
}

class TrainOutage : public ::testing::Test {
 protected:
  TrainOutage() {
    draw_photos(data_, 2, 13);
    write_text(data_ + "/fence/05.jpg", marked_photo(0, 5));
  }
  std::vector<std::string> train(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = train_arguments(data_, out, {"--val", data_, "--lr", "0.0005"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // It fails, is resumed, and has come to the bits of a run that never failed.
  void expect_same_bits(const std::vector<std::string>& more) const {
    const std::string whole = folder_ / "whole", run = folder_ / "run";
    ASSERT_EQ(resflow(train(whole, more)).exit_code, 0);
    bool able = false;
    const ProcessResult failed = on_a_failing_disk(train(run, more), able);
    if (!able) GTEST_SKIP() << "no seccomp";
    EXPECT_EQ(failed.exit_code, 4) << failed.err;
    EXPECT_THAT(failed.err,
                AllOf(HasSubstr("05.jpg: cannot be read: Input/output error"),
                      HasSubstr("the run is saved in " + run + "/last.resflow"), HasSubstr("go on with --resume")));
    const TrainingState state = cursor(run);
    EXPECT_GT(state.epoch * 100 + state.next_batch, 0) << "nothing was saved";
    const ProcessResult resumed = resflow({"train", data_, "--val", data_, "--out", run, "--resume"});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    expect_same_run(whole, run);
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data";
};

TEST_F(TrainOutage, ADiskThatFailsStopsTheRunWhichThenGoesOnToTheSameBits) { expect_same_bits({"--seed", "3"}); }

TEST_F(TrainOutage, AlsoBetweenTwoUpdates) { expect_same_bits({"--accumulate", "3", "--seed", "3"}); }

TEST_F(TrainOutage, FeaturesThatWereComputedBeforeAreKept) {
  draw_photos(data_, 2, 40, 100);
  for (const char* name : {"/fence/05.jpg", "/net/39.jpg"}) write_text(data_ + name, photo_bytes(0, 5));
  write_text(data_ + "/net/39.jpg", marked_photo(1, 139));
  const std::string start = folder_ / "start", whole = folder_ / "whole", run = folder_ / "run";
  ASSERT_EQ(resflow(train_arguments(data_, start, {"--lr", "0.0005"})).exit_code, 0);
  const auto features = [&](const std::string& out) {
    return std::vector<std::string>{"train",        data_, "--out",  out,        "--weights", start + "/last.resflow",
                                    "--image-size", "48",  "--mode", "features", "--epochs",  "2",
                                    "--threads",    "2"};
  };
  ASSERT_EQ(resflow(features(whole)).exit_code, 0);
  bool able = false;
  const ProcessResult failed = on_a_failing_disk(features(run), able);
  if (!able) GTEST_SKIP() << "no seccomp";
  EXPECT_EQ(failed.exit_code, 4) << failed.err;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("39.jpg: cannot be read: Input/output error"), HasSubstr("--resume")));
  const ProcessResult resumed = resflow({"train", data_, "--out", run, "--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("80 pictures (64 of them from before)"));
  expect_same_arrays(load_checkpoint(run + "/last.resflow").parameters,
                     load_checkpoint(whole + "/last.resflow").parameters);
}

TEST_F(TrainOutage, FilesThatAreGoneStopStatisticsAndPackingToo) {
  for (int i = 30; i < 35; ++i) fs::create_symlink(folder_ / "nowhere", data_ + "/fence/" + std::to_string(i) + ".jpg");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"stats", data_}, {"pack", data_, folder_ / "p"}}) {
    std::vector<std::string> strict = command, lenient = command;
    strict.insert(strict.end(), {"--outage", "5", "--threads", "2"});
    lenient.insert(lenient.end(), {"--outage", "6", "--threads", "2"});
    const ProcessResult refused = resflow(strict);
    EXPECT_EQ(refused.exit_code, 4) << command[0];
    EXPECT_THAT(refused.err, AllOf(HasSubstr("the last 5 files in a row"), HasSubstr("/fence/30.jpg")));
    EXPECT_FALSE(fs::exists(folder_ / "p"));
    EXPECT_EQ(resflow(lenient).exit_code, 0) << command[0];
  }
}

TEST_F(TrainOutage, WhatIsLeftOutIsSaidAndCounted) {
  fs::create_symlink(folder_ / "nowhere", data_ + "/net/lost.jpg");
  write_text(data_ + "/net/text.jpg", "no picture");
  const std::string run = folder_ / "run";
  const ProcessResult result = resflow(train(run));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("warning: " + data_ + "/net/lost.jpg: cannot be opened: No such file"),
                                HasSubstr("warning: " + data_ + "/net/text.jpg: ")));
  EXPECT_THAT(result.out, HasSubstr("(4 pictures left out: 2 unreadable, 2 broken)")) << "of training and validation";
  EXPECT_THAT(read_text(run + "/history.csv"), HasSubstr(",2,2\n"));
  EXPECT_EQ(cursor(run).history.front().left_out, (LeftOut{.unreadable = 2, .broken = 2}));
}

TEST(UnreadFolders, AreNamedUntilTheyAreMany) {
  Dataset dataset;
  for (int i = 0; i < 8; ++i) dataset.unread.push_back({"d/" + std::to_string(i), "the folder cannot be read: so"});
  HeardSentences heard;
  warn_of_unread_folders(dataset, heard);
  EXPECT_THAT(heard.warnings(), AllOf(HasSubstr("d/0: the folder cannot be read: so: left out"), HasSubstr("d/4: "),
                                      Not(HasSubstr("d/5")), HasSubstr("3 more folders")));
}

}  // namespace
}  // namespace resflow::testing
