// resflow score --unordered: the rows of an ordered run, each once, whatever happens meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "io/checkpoint/checkpoint.h"
#include "io/files/sequential_file.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class Unordered : public ::testing::Test {
 protected:
  Unordered() {
    save_checkpoint(made_checkpoint(), model_);
    for (int i = 0; i < 60; ++i)
      write_text(data_ + "/" + std::to_string(100 + i) + ".jpg", i % 7 == 5 ? "no picture" : photo_bytes(i % 4, i));
    write_text(data_ + "/a,\"b\"\nc.jpg", photo_bytes(0, 100));
    write_text(data_ + "/\xFF\xFE.jpg", photo_bytes(1, 101));
  }

  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"score", model_, data_, "--batch", "4", "--threads", "2", "--all-scores"};
    if (!out.empty()) all.insert(all.end(), {"--out", out, "--save-every", "0"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void score(const std::string& out, const std::vector<std::string>& more) const {
    const ProcessResult result = resflow(arguments(out, more));
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  // Sorted; with a row that is cut off it throws.
  static std::vector<std::string> rows_of(const std::string& path) {
    SequentialFile file(path);
    std::vector<std::string> rows;
    while (const auto row = file.next_row(!path.ends_with(".jsonl"))) rows.emplace_back(*row);
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "model.resflow";
};

TEST_F(Unordered, GivesTheRowsOfAnOrderedRun) {
  for (const std::string format : {"csv", "jsonl"}) {
    SCOPED_TRACE(format);
    const std::string ordered = folder_ / ("ordered." + format), unordered = folder_ / ("unordered." + format);
    const std::string executors = format == "csv" ? "1" : "2";
    score(ordered, {"--errors", ordered + ".errors", "--executors", executors});
    score(unordered, {"--errors", unordered + ".errors", "--executors", executors, "--unordered"});
    EXPECT_EQ(rows_of(ordered).size(), format == "csv" ? 63U : 62U);
    EXPECT_EQ(rows_of(unordered), rows_of(ordered));
    EXPECT_EQ(rows_of(unordered + ".errors"), rows_of(ordered + ".errors"));
    EXPECT_EQ(rows_of(unordered + ".errors").size(), 9U);
    EXPECT_FALSE(fs::exists(unordered + ".journal"));
    const ProcessResult printed = resflow(arguments("", {"--format", format, "--executors", executors, "--unordered"}));
    ASSERT_EQ(printed.exit_code, 0) << printed.err;
    write_text(folder_ / ("printed." + format), printed.out);
    EXPECT_EQ(rows_of(folder_ / ("printed." + format)), rows_of(ordered));
  }
}

// RESFLOW_TEST_KILLS says how many kills are tried for a format.
TEST_F(Unordered, KilledAtRandomItHasEachRowOnce) {
  const char* const asked = std::getenv("RESFLOW_TEST_KILLS");
  const int kills = asked != nullptr ? std::atoi(asked) : 4;
  std::minstd_rand random(asked != nullptr ? std::random_device()() : 1);
  for (const std::string format : {"csv", "jsonl"}) {
    SCOPED_TRACE(format);
    const std::string whole = folder_ / ("whole." + format), killed = folder_ / ("killed." + format);
    const auto began = std::chrono::steady_clock::now();
    score(whole, {"--errors", whole + ".errors"});
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto run = arguments(killed, {"--errors", killed + ".errors", "--unordered", "--resume"});
    int went_on = 0;
    for (int i = 0; i < kills; ++i) {
      RunningProgram program(run, folder_ / "log");
      std::this_thread::sleep_for(
          std::chrono::duration<double>(took * std::uniform_real_distribution<>(0.2, 1.1)(random)));
      program.send(SIGKILL);
      ASSERT_THAT(program.wait(), AnyOf(0, 128 + SIGKILL)) << read_text(folder_ / "log");
      went_on += fs::exists(killed + ".journal") ? 1 : 0;
    }
    const ProcessResult last = resflow(run);
    ASSERT_EQ(last.exit_code, 0) << last.err;
    EXPECT_EQ(rows_of(killed), rows_of(whole));
    EXPECT_EQ(rows_of(killed + ".errors"), rows_of(whole + ".errors"));
    EXPECT_FALSE(fs::exists(killed + ".partial"));
    std::printf("%s: %d kills, %d of them with rows to go on from\n", format.c_str(), kills, went_on);
  }
}

TEST_F(Unordered, IsAFactThatAResumedRunCompares) {
  const std::string whole = folder_ / "whole.csv", csv = folder_ / "scores.csv";
  score(whole, {});
  for (const bool unordered : {true, false}) {
    const auto run = [&](bool is_unordered) {
      return arguments(csv, is_unordered ? std::vector<std::string>{"--unordered", "--resume"}
                                         : std::vector<std::string>{"--resume"});
    };
    // In blocks of 512 bytes: the journal fits, the rows do not.
    std::vector<std::string> limited = {"sh", "-c", "ulimit -f 8; exec \"$0\" \"$@\"", RESFLOW_PROGRAM};
    for (const std::string& word : run(unordered)) limited.push_back(word);
    ASSERT_GT(fs::file_size(whole), 4096U);
    const ProcessResult full = run_process(limited);
    ASSERT_EQ(full.exit_code, 4) << full.err;
    EXPECT_THAT(full.err, HasSubstr("rows are kept: go on with --resume"));
    const ProcessResult other = resflow(run(!unordered));
    EXPECT_EQ(other.exit_code, 2);
    EXPECT_THAT(other.err, HasSubstr(unordered ? "begun with --unordered given, now it is --unordered not given"
                                               : "begun with --unordered not given, now it is --unordered given"));
    const std::string picture = data_ + "/100.jpg";
    fs::rename(picture, folder_ / "away");
    const ProcessResult without = resflow(run(unordered));
    EXPECT_EQ(without.exit_code, 2) << without.err;
    EXPECT_THAT(without.err, HasSubstr("--resume: " + csv + " was begun with other inputs: "));
    fs::rename(folder_ / "away", picture);
    const ProcessResult resumed = resflow(run(unordered));
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("scored 62 files (8 with an error), "));
    EXPECT_EQ(rows_of(csv), rows_of(whole));
    fs::remove(csv);
  }
}

TEST_F(Unordered, ShardsAreMerged) {
  const std::string whole = folder_ / "whole.csv", merged = folder_ / "merged.csv";
  score(whole, {"--errors", folder_ / "whole-errors.csv"});
  std::vector<std::string> merge = {"merge"};
  const auto shard = [&](int i, const std::vector<std::string>& more) {
    const std::string out = folder_ / ("shard" + std::to_string(i) + ".csv");
    std::vector<std::string> all = {"--shard", std::to_string(i) + "/3", "--errors", out + ".errors"};
    all.insert(all.end(), more.begin(), more.end());
    score(out, all);
    return out;
  };
  for (int i = 1; i <= 3; ++i) merge.push_back(shard(i, {"--unordered"}));
  const std::string first = read_text(merge[1] + ".shard");
  merge.insert(merge.end(), {"--out", merged, "--errors", folder_ / "merged-errors.csv"});
  const ProcessResult result = resflow(merge);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("62 rows (8 with an error)"));
  // Their pictures' batches are other ones, which may change the last bits of f32.
  const auto names = [](std::vector<std::string> rows) {
    for (std::string& row : rows) row.resize(row.rfind(".jpg") + 4);
    return rows;
  };
  std::vector<std::string> wanted = rows_of(whole), got = rows_of(merged);
  std::erase_if(wanted, [](const std::string& row) { return row.starts_with("path,"); });
  std::erase_if(got, [](const std::string& row) { return row.starts_with("path,"); });
  EXPECT_EQ(names(got), names(wanted));
  EXPECT_EQ(rows_of(folder_ / "merged-errors.csv"), rows_of(folder_ / "whole-errors.csv"));
  fs::remove(merged);

  // The first row's picture, which is below 64, once more.
  std::string damaged = first;
  damaged[1] = damaged[0];
  write_text(merge[1] + ".shard", damaged);
  const ProcessResult twice = resflow(merge);
  EXPECT_EQ(twice.exit_code, 3);
  EXPECT_THAT(twice.err, HasSubstr("is not in one shard alone"));
  EXPECT_FALSE(fs::exists(merged));
  write_text(merge[1] + ".shard", first);

  shard(2, {});
  const ProcessResult mixed = resflow(merge);
  EXPECT_EQ(mixed.exit_code, 3);
  EXPECT_THAT(mixed.err, HasSubstr("was scored with --unordered given"));
}

TEST_F(Unordered, RowsThatDoNotSayWhoseTheyAreAreRefused) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--out", folder_ / "x.npy"}, {"--out", folder_ / "x", "--format", "npy"}}) {
    std::vector<std::string> all = {"score", model_, data_, "--unordered"};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("--unordered: the rows of a .npy have no names: wanted --out FILE.npz"));
  }
  EXPECT_FALSE(fs::exists(folder_ / "x.npy"));
}

}  // namespace
}  // namespace resflow::testing
